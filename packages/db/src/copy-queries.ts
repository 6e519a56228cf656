import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import type pg from 'pg'
import { from } from 'pg-copy-streams'

import { copyHeader, copyTrailer } from './copy-format.ts'
import { CopyOut } from './copy-out.ts'
import type { Connection } from './database.ts'

/**
 * Runs `copy (…) to stdout (format binary)` and yields its rows as they arrive, in groups of what came together. The
 * fields are views of the chunk that they came in. Takes little from the server while its caller does not ask; no
 * other statement may run on the connection before it has ended. Giving up early leaves the connection unusable:
 * the caller closes it.
 */
export async function* copyOut(connection: pg.ClientBase, text: string): AsyncGenerator<Buffer[][], void> {
  const copy = CopyOut.run(connection, text)
  while (await copy.fetch()) {
    const rows = [fieldsOf(copy)]
    while (copy.next()) rows.push(fieldsOf(copy))
    yield rows
  }
}

/** Returns the fields of the row that was read last. */
function fieldsOf({ bytes, start, fields }: CopyOut): Buffer[] {
  const row: Buffer[] = []
  let at = start
  for (let i = 0; i < fields; i++) {
    // A null has the length -1; no column that is copied here can be one.
    const end = at + 4 + Math.max(0, bytes.readInt32BE(at))
    row.push(bytes.subarray(at + 4, end))
    at = end
  }
  return row
}

/**
 * Runs `copy … from stdin (format binary)` with the rows that the chunks hold (`CopyRows`), taking no more of them
 * than the server keeps up with. An error of the chunks fails the statement, and with it the transaction.
 */
export async function copyIn(
  connection: Connection,
  text: string,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<void> {
  await pipeline(Readable.from(frame(chunks), { objectMode: false }), connection.query(from(text)))
}

async function* frame(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield copyHeader
  yield* chunks
  yield copyTrailer
}
