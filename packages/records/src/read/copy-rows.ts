import { DomainError } from '@rookery/std'

/** Is thrown when what PostgreSQL copies is not what was asked for. */
export class InvalidCopyError extends DomainError {
  override readonly name = 'InvalidCopyError'
  readonly code = 'InvalidCopy'
}

/** `PGCOPY\n\xff\r\n\0`, four bytes of flags and four of the (empty) extension's length. */
const headerBytes = 19
const rowHeadBytes = 2
const fieldHeadBytes = 4

/**
 * Yields the rows of a binary COPY of two bytea columns that are never null. The buffers are views of the chunks
 * where they can be: use them before the next row.
 *
 * @throws {InvalidCopyError} if the stream is anything else.
 */
export async function* copyRows(chunks: AsyncIterable<Buffer>): AsyncGenerator<[Buffer, Buffer], void> {
  let rest: Buffer = Buffer.alloc(0)
  let isHeaderRead = false
  for await (const chunk of chunks) {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    if (!isHeaderRead) {
      if (data.length < headerBytes) {
        rest = data
        continue
      }
      isHeaderRead = true
      at = headerBytes
    }
    for (;;) {
      const row = readRow(data, at)
      if (row === undefined) break
      if (row === 'end') return
      yield [row.first, row.second]
      at = row.end
    }
    rest = data.subarray(at)
  }
  throw new InvalidCopyError('the copy ended before its last row')
}

function readRow(
  data: Buffer,
  at: number,
): { first: Buffer; second: Buffer; end: number } | 'end' | undefined {
  if (at + rowHeadBytes > data.length) return undefined
  const fields = data.readInt16BE(at)
  if (fields === -1) return 'end'
  if (fields !== 2) throw new InvalidCopyError(`a row has ${fields} fields`)
  const first = readField(data, at + rowHeadBytes)
  const second = first && readField(data, first.end)
  return second && { first: first.bytes, second: second.bytes, end: second.end }
}

function readField(data: Buffer, at: number): { bytes: Buffer; end: number } | undefined {
  if (at + fieldHeadBytes > data.length) return undefined
  const length = data.readInt32BE(at)
  if (length < 0) throw new InvalidCopyError('a field is null')
  const end = at + fieldHeadBytes + length
  return end > data.length ? undefined : { bytes: data.subarray(at + fieldHeadBytes, end), end }
}
