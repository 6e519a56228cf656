import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import type pg from 'pg'
import { from, to } from 'pg-copy-streams'

import { CopyParser, copyHeader, copyTrailer } from './copy-format.ts'
import type { Connection } from './database.ts'

/**
 * Runs `copy (…) to stdout (format binary)` and yields its rows as they arrive, in groups of what came together. The
 * fields are views of the chunk that they came in. Takes nothing from the server while its caller does not ask; no
 * other statement may run on the connection before it has ended. Giving up early leaves the connection unusable:
 * the caller closes it.
 */
export async function* copyOut(connection: pg.ClientBase, text: string): AsyncGenerator<Buffer[][], void> {
  const parser = new CopyParser()
  for await (const chunk of connection.query(to(text)) as AsyncIterable<Buffer>) {
    const rows = parser.push(chunk)
    if (rows.length > 0) yield rows
  }
  parser.end()
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
