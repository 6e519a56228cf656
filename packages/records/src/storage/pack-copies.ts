import { type Connection, CopyOut } from '@rookery/db'
import type { Tid } from '@rookery/syntax'

import { type RepoHead, type RepoPacks, firstChunk } from './storage-queries.ts'

/** Number of a base's directory among its chunks. */
const directoryChunk = 1

/**
 * Returns the packs that reading a repo's tree starts from, as `loadPacks` does: by `COPY`, which is dearer to begin
 * and spares megabytes the way through hexadecimal. The bytes may be views of larger buffers.
 */
export async function copyPacks(connection: Connection, head: RepoHead): Promise<RepoPacks> {
  const from = connection.escapeLiteral(head.baseRev ?? '')
  const rows = await readRows(connection, `rev >= ${from} and chunk <= ${directoryChunk} order by rev`, head)
  const hasBase = rows[0]?.chunk === directoryChunk
  const packs = rows.map(({ bytes }) => bytes)
  return hasBase ? { directory: packs[0], deltas: packs.slice(1) } : { directory: undefined, deltas: packs }
}

/** Returns the packs of the commits above a rev, oldest first. */
export async function copyDeltasAbove(
  connection: Connection,
  head: RepoHead,
  rev: Tid,
): Promise<readonly Buffer[]> {
  const from = connection.escapeLiteral(rev)
  const rows = await readRows(connection, `rev > ${from} and chunk < ${directoryChunk} order by rev`, head)
  return rows.map(({ bytes }) => bytes)
}

/** Returns chunks of a base by number, counted from 0: a number of them from one on. Those that are gone are left out. */
export async function copyChunks(
  connection: Connection,
  head: RepoHead,
  range: { first: number; count: number },
): Promise<{ chunk: number; bytes: Buffer }[]> {
  const first = range.first + firstChunk
  const rev = connection.escapeLiteral(head.baseRev ?? '')
  const last = first + range.count - 1
  const rows = await readRows(
    connection,
    `rev = ${rev} and chunk between ${first} and ${last} order by chunk`,
    head,
  )
  return rows.map(({ chunk, bytes }) => ({ chunk: chunk - firstChunk, bytes }))
}

async function readRows(
  connection: Connection,
  condition: string,
  { accountId }: RepoHead,
): Promise<{ chunk: number; bytes: Buffer }[]> {
  const copy = CopyOut.run(
    connection,
    `copy (select chunk, bytes from pack where account_id = ${accountId} and ${condition}) to stdout (format binary)`,
  )
  const rows: { chunk: number; bytes: Buffer }[] = []
  // Two fields, each after its length: the chunk has four bytes.
  while (copy.next() || (await copy.fetch())) {
    const { bytes, start, end } = copy
    rows.push({ chunk: bytes.readInt32BE(start + 4), bytes: bytes.subarray(start + 12, end) })
  }
  return rows
}
