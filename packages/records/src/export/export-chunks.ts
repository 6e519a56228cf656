import { type Connection, copyOut } from '@rookery/db'
import { type TreeItem, TreeWalk, openTree } from '@rookery/repo'
import { must } from '@rookery/std'
import { type Cid, type Tid, cidEquals, cidKey } from '@rookery/syntax'

import { walkChunksMax } from '../limits.ts'
import type { RepoHead, RepoPacks } from '../storage/storage-queries.ts'
import { StoredNodes } from '../storage/stored-nodes.ts'
import { CarChunks } from './car-chunks.ts'
import { type RecordRun, copyRecordsSince, copyRuns } from './export-queries.ts'
import { exportBatchNodeBytes, exportBatchRecords } from './limits.ts'

/** A repo at one instant, and the connection whose transaction shows that instant. */
export type RepoSnapshot = {
  readonly connection: Connection
  readonly head: RepoHead
  readonly packs: RepoPacks
}

/** A stretch of the walk, in its order. */
type Batch = { items: TreeItem[]; runs: RecordRun[] }

/**
 * Yields the whole repo as a CAR in the order in which a reader can check it as it comes: the commit, then each node
 * followed by its slots from left to right (SPEC CAR-4). Only what the tree reaches is in it. Holds one batch of
 * nodes and what the database has sent of the batch's records.
 *
 * @throws {Error} if tree and records do not agree: the CAR must not look complete.
 */
export async function* exportChunks(snapshot: RepoSnapshot): AsyncGenerator<Buffer, void> {
  const { connection, head, packs } = snapshot
  const nodes = new StoredNodes(connection, head.accountId, { packs, chunksMax: walkChunksMax })
  const car = new CarChunks(head.head)
  car.add(head.head, head.commit)
  const walk = new TreeWalk(openTree(head.data), nodes)
  for (let batch = await nextBatch(walk); batch; batch = await nextBatch(walk)) {
    const records = new RecordBlocks(connection, head.accountId, batch.runs)
    for (const item of batch.items) {
      if (item.kind === 'node') car.add(item.cid, item.bytes)
      else car.add(item.cid, records.take(item.cid) ?? (await records.fetch(item.cid)))
      for (let chunk = car.take(); chunk; chunk = car.take()) yield chunk
    }
    await records.end()
  }
  const rest = car.rest()
  if (rest.length > 0) yield rest
}

/**
 * Yields what came into the repo above a rev and is still there, as a CAR: the commit, the nodes, the records (SPEC
 * DIFF-6…8). A node is never older than those below it, so the walk ends at the first that is old enough.
 */
export async function* exportChunksSince(snapshot: RepoSnapshot, since: Tid): AsyncGenerator<Buffer, void> {
  const { connection, head, packs } = snapshot
  const nodes = new RevedNodes(
    new StoredNodes(connection, head.accountId, { packs, chunksMax: walkChunksMax }),
  )
  const car = new CarChunks(head.head)
  car.add(head.head, head.commit)
  const walk = new TreeWalk(openTree(head.data), nodes)
  for (let item = walk.next(); item; item = walk.next()) {
    if (item === 'wait') await walk.fetch()
    else if (item.kind === 'node' && nodes.takeRev(item.cid) <= since) walk.skip()
    else if (item.kind === 'node') car.add(item.cid, item.bytes)
    for (let chunk = car.take(); chunk; chunk = car.take()) yield chunk
  }
  for await (const rows of copyOut(connection, copyRecordsSince(connection, head.accountId, since))) {
    for (const [cid, bytes] of rows) car.add(must(cid), must(bytes))
    for (let chunk = car.take(); chunk; chunk = car.take()) yield chunk
  }
  const rest = car.rest()
  if (rest.length > 0) yield rest
}

/** Goes on with the walk until there is enough for one statement; undefined at its end. */
async function nextBatch(walk: TreeWalk): Promise<Batch | undefined> {
  const batch: Batch = { items: [], runs: [] }
  let records = 0
  let nodeBytes = 0
  while (records < exportBatchRecords && nodeBytes < exportBatchNodeBytes) {
    const item = walk.next()
    if (item === undefined) break
    if (item === 'wait') {
      await walk.fetch()
      continue
    }
    batch.items.push(item)
    if (item.kind === 'node') nodeBytes += item.bytes.length
    else {
      addToRuns(batch.runs, item.path)
      records++
    }
  }
  return batch.items.length === 0 ? undefined : batch
}

/** Paths of one collection follow one another, so they are a range of its keys. */
function addToRuns(runs: RecordRun[], path: string): void {
  const slash = path.indexOf('/')
  const collection = path.slice(0, slash)
  const rkey = path.slice(slash + 1)
  const run = runs.at(-1)
  if (run?.collection === collection) run.last = rkey
  else runs.push({ collection, first: rkey, last: rkey })
}

/** The records of a batch, in its order, as the database sends them. */
class RecordBlocks {
  readonly #rows: AsyncGenerator<Buffer[][], void> | undefined
  #group: Buffer[][] = []
  #at = 0

  constructor(connection: Connection, accountId: number, runs: readonly RecordRun[]) {
    this.#rows = runs.length === 0 ? undefined : copyOut(connection, copyRuns(connection, accountId, runs))
  }

  /** Returns the next record's bytes if they are here. */
  take(expected: Cid): Buffer | undefined {
    const row = this.#group[this.#at]
    if (row === undefined) return undefined
    this.#at++
    if (!cidEquals(must(row[0]), expected)) throw new Error('the records are not those of the tree')
    return must(row[1])
  }

  /** Waits for more and returns the next record's bytes. */
  async fetch(expected: Cid): Promise<Buffer> {
    const next = await this.#rows?.next()
    if (next === undefined || next.done) throw new Error('the tree has a record that is not stored')
    this.#group = next.value
    this.#at = 0
    return must(this.take(expected))
  }

  /** Requires that no record is left: the connection is free again. */
  async end(): Promise<void> {
    const next = await this.#rows?.next()
    const isDone = next === undefined || next.done === true
    if (!isDone || this.#at < this.#group.length) throw new Error('a stored record is not in the tree')
  }
}

/** Nodes with their revs, which `StoredNodes` only knows while it has the node's chunk at hand. */
class RevedNodes {
  readonly #nodes: StoredNodes
  readonly #revs = new Map<string, Tid>()

  constructor(nodes: StoredNodes) {
    this.#nodes = nodes
  }

  async getMany(cids: readonly Cid[]): ReturnType<StoredNodes['getMany']> {
    const found = await this.#nodes.getMany(cids)
    for (const { cid } of found) this.#revs.set(cidKey(cid), must(this.#nodes.revOf(cid)))
    return found
  }

  /** Returns the rev that introduced a node that was fetched, once for each fetch. */
  takeRev(cid: Cid): Tid {
    const key = cidKey(cid)
    const rev = must(this.#revs.get(key))
    this.#revs.delete(key)
    return rev
  }
}
