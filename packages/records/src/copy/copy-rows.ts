import type { Connection } from '@rookery/db'
import { to } from 'pg-copy-streams'

const signatureBytes = 11
const fileHeaderBytes = signatureBytes + 4 + 4

/**
 * Runs `copy (…) to stdout (format binary)` and yields its rows as they arrive, in groups of what came together. The
 * fields are views of the chunk that they came in. Takes nothing from the server while its caller does not ask; no
 * other statement may run on the connection before it has ended. Giving up early leaves the connection unusable:
 * the caller closes it.
 */
export async function* copyRows(connection: Connection, text: string): AsyncGenerator<Buffer[][], void> {
  const parser = new CopyParser()
  for await (const chunk of connection.query(to(text)) as AsyncIterable<Buffer>) {
    const rows = parser.push(chunk)
    if (rows.length > 0) yield rows
  }
  parser.end()
}

/** Cuts PostgreSQL's binary COPY format into rows. */
class CopyParser {
  #rest: Buffer = Buffer.alloc(0)
  #isStarted = false
  #isEnded = false

  /** Returns the rows that the chunk completes. */
  push(chunk: Buffer): Buffer[][] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    if (!this.#isStarted) {
      if (bytes.length < fileHeaderBytes) return this.#keep(bytes, [])
      at = fileHeaderBytes + bytes.readInt32BE(signatureBytes + 4)
      this.#isStarted = true
    }
    const rows: Buffer[][] = []
    for (;;) {
      const end = this.#readRow(bytes, at, rows)
      if (end === undefined) return this.#keep(bytes.subarray(at), rows)
      at = end
    }
  }

  /** Requires that nothing is missing. */
  end(): void {
    if (!this.#isEnded) throw new Error('a COPY ended without its trailer')
  }

  /** Adds the row at a place and returns where the next begins; undefined if it is not complete yet. */
  #readRow(bytes: Buffer, start: number, rows: Buffer[][]): number | undefined {
    if (this.#isEnded || start + 2 > bytes.length) return undefined
    const count = bytes.readInt16BE(start)
    if (count < 0) {
      this.#isEnded = true
      return undefined
    }
    const row: Buffer[] = []
    let at = start + 2
    for (let i = 0; i < count; i++) {
      if (at + 4 > bytes.length) return undefined
      // A null has the length -1; no column that is copied here can be one.
      const length = Math.max(0, bytes.readInt32BE(at))
      at += 4
      if (at + length > bytes.length) return undefined
      row.push(bytes.subarray(at, at + length))
      at += length
    }
    rows.push(row)
    return at
  }

  #keep(rest: Buffer, rows: Buffer[][]): Buffer[][] {
    this.#rest = rest
    return rows
  }
}
