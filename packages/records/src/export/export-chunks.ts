import { type Connection, CopyOut } from '@rookery/db'
import { must } from '@rookery/std'
import { type Tid, cidBytes } from '@rookery/syntax'

import { NodePlaces } from '../storage/node-places.ts'
import { copyDeltasAbove, copyPacks } from '../storage/pack-copies.ts'
import type { RepoHead } from '../storage/storage-queries.ts'
import { CarChunks } from './car-chunks.ts'
import { copyRecordsSince, copyRuns } from './export-queries.ts'
import { ExportWalk } from './export-walk.ts'

/** Bytes that tell the length of a field. */
const lengthBytes = 4

/** A repo at one instant, and the connection whose transaction shows that instant. */
export type RepoSnapshot = { readonly connection: Connection; readonly head: RepoHead }

/**
 * Reads what an export begins with, and returns its CAR as chunks: of the whole repo, or of what came above a rev.
 *
 * @throws {Error} midway, if tree and records do not agree: the CAR must not look complete.
 */
export async function openExport(
  snapshot: RepoSnapshot,
  { since }: { since: Tid | undefined },
): Promise<AsyncGenerator<Buffer, void>> {
  const { connection, head } = snapshot
  if (since === undefined) {
    const places = new NodePlaces(connection, head, {
      packs: await copyPacks(connection, head),
      reads: 'all',
    })
    return exportAll(snapshot, new ExportWalk(places, head.data))
  }
  // A node lies in a pack of its rev or of a later one, so nothing in a base up to that rev is of interest.
  const isMissingOld = since >= (head.baseRev ?? '')
  const packs = isMissingOld
    ? { directory: undefined, deltas: await copyDeltasAbove(connection, head, since) }
    : await copyPacks(connection, head)
  const places = new NodePlaces(connection, head, { packs, reads: 'parts' })
  return exportSince(snapshot, new ExportWalk(places, head.data, { since, isMissingOld }), since)
}

/**
 * Yields the whole repo in the order in which a reader can check it as it comes: the commit, then each node followed
 * by its slots from left to right (SPEC CAR-4). Only what the tree reaches is in it. Holds one stretch of the walk
 * and what the database has sent of its records.
 */
async function* exportAll(
  { connection, head }: RepoSnapshot,
  walk: ExportWalk,
): AsyncGenerator<Buffer, void> {
  const car = new CarChunks(head)
  for (let stretch = await walk.next(); stretch; stretch = await walk.next()) {
    const { packs, places, runs } = stretch
    const rows =
      runs.length === 0
        ? undefined
        : CopyOut.run(connection, copyRuns(connection, head.accountId, runs), { areRowsCopied: true })
    for (let i = 0; i < places.length; i++) {
      const pack = must(packs[i])
      const place = must(places[i])
      if (place >= 0) car.addNode(pack, place)
      else {
        const records = must(rows)
        if (!records.next() && !(await records.fetch()))
          throw new Error('the tree has a record that is not stored')
        const { bytes, start, end } = records
        const cidAt = start + lengthBytes
        if (!isSameCid(bytes, cidAt, pack, ~place)) throw new Error('the records are not those of the tree')
        car.addBlock(bytes, cidAt, end)
      }
      for (let chunk = car.take(); chunk; chunk = car.take()) yield chunk
    }
    // The connection is free again when the rows have ended.
    if (rows && (rows.next() || (await rows.fetch()))) throw new Error('a stored record is not in the tree')
  }
  const rest = car.rest()
  if (rest.length > 0) yield rest
}

/** Yields what came into the repo above a rev and is still there: the commit, the nodes, the records (SPEC DIFF-6…8). */
async function* exportSince(
  { connection, head }: RepoSnapshot,
  walk: ExportWalk,
  since: Tid,
): AsyncGenerator<Buffer, void> {
  const car = new CarChunks(head)
  for (let stretch = await walk.next(); stretch; stretch = await walk.next()) {
    for (const [i, pack] of stretch.packs.entries()) car.addNode(pack, must(stretch.places[i]))
    for (let chunk = car.take(); chunk; chunk = car.take()) yield chunk
  }
  const rows = CopyOut.run(connection, copyRecordsSince(connection, head.accountId, since), {
    areRowsCopied: true,
  })
  while (rows.next() || (await rows.fetch())) {
    car.addBlock(rows.bytes, rows.start + lengthBytes, rows.end)
    for (let chunk = car.take(); chunk; chunk = car.take()) yield chunk
  }
  const rest = car.rest()
  if (rest.length > 0) yield rest
}

function isSameCid(a: Buffer, aAt: number, b: Buffer, bAt: number): boolean {
  for (let i = 0; i < cidBytes; i++) if (a[aAt + i] !== b[bAt + i]) return false
  return true
}
