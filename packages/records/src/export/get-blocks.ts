import { type Database, inTransaction } from '@rookery/db'
import {
  type Block,
  BlockMap,
  MissingBlockError,
  type Tree,
  encodeCar,
  listRecords,
  loadPaths,
  openTree,
  pathProof,
} from '@rookery/repo'
import { type Cid, cidEquals, cidToString, decodeDataObject, linkOf, parseCid } from '@rookery/syntax'

import { BlockNotFoundError, BlocksTooLargeError } from '../errors.ts'
import { loadPacks } from '../storage/storage-queries.ts'
import { StoredNodes } from '../storage/stored-nodes.ts'
import { type RepoAddress, findRecordBlocks } from './export-queries.ts'
import { blocksBytesMax, blocksMax } from './limits.ts'
import { type ReadOptions, getServableRepo } from './servable-repo.ts'

/**
 * Returns blocks of a repo as it is now, as a CAR whose root is the commit. Blocks of earlier states are not there,
 * whatever storage still holds.
 *
 * @throws {BlockNotFoundError} naming every block that is not there.
 * @throws {BlocksTooLargeError} above `blocksMax` blocks or `blocksBytesMax` bytes.
 * @throws {RepoNotFoundError} {RepoTakendownError} {RepoSuspendedError} {RepoDeactivatedError}
 */
export async function getBlocks(
  pool: Database['pool'],
  query: RepoAddress & { cids: readonly Cid[] },
  options: ReadOptions,
): Promise<Buffer> {
  if (query.cids.length > blocksMax) {
    throw new BlocksTooLargeError(`Too many blocks. Max: ${blocksMax}`)
  }
  return inTransaction(
    pool,
    async (client) => {
      const head = await getServableRepo(client, query, options)
      const { accountId } = head
      const found = new BlockMap([{ cid: head.head, bytes: head.commit }])
      const nodes = new StoredNodes(client, accountId, { packs: await loadPacks(client, accountId) })
      const tree = openTree(head.data)
      for (const block of await nodes.getMany(query.cids)) {
        if (await isLiveNode(tree, nodes, block.cid)) found.add(block)
      }
      const rest = query.cids.filter((cid) => !found.has(cid))
      if (rest.length > 0)
        for (const block of await findRecordBlocks(client, accountId, rest)) found.add(block)
      return encodeCar(head.head, pick(found, query.cids))
    },
    { isolation: 'repeatable read' },
  )
}

/** Tells whether the tree has a node: then the way to the first record below it leads through it. */
async function isLiveNode(tree: Tree, nodes: StoredNodes, cid: Cid): Promise<boolean> {
  if (cidEquals(cid, tree.root)) return true
  try {
    const below = openTree(await firstWithEntries(nodes, cid))
    for await (const { path } of listRecords(below, nodes)) {
      await loadPaths(tree, [path], nodes)
      return pathProof(tree, path).some((block) => cidEquals(block.cid, cid))
    }
  } catch (error) {
    // What hung below an old node may be gone.
    if (!(error instanceof MissingBlockError)) throw error
  }
  return false
}

/** Returns the node itself, or the first below it that is no mere pointer: only such a one can be a tree's root. */
async function firstWithEntries(nodes: StoredNodes, start: Cid): Promise<Cid> {
  for (let cid = start; ;) {
    const bytes = (await nodes.getMany([cid])).get(cid)
    if (bytes === undefined) throw new MissingBlockError(cid)
    const { e, l } = decodeDataObject(bytes)
    const child = linkOf(l ?? null)
    if (!Array.isArray(e) || e.length > 0 || child === undefined) return cid
    cid = parseCid(child)
  }
}

function pick(found: BlockMap, cids: readonly Cid[]): Block[] {
  const missing = cids.filter((cid) => !found.has(cid))
  if (missing.length > 0) {
    throw new BlockNotFoundError(`Could not find cids: ${missing.map(cidToString).join(', ')}`)
  }
  let bytes = 0
  return cids.map((cid) => {
    const block = { cid, bytes: found.get(cid) ?? Buffer.alloc(0) }
    bytes += block.bytes.length
    if (bytes > blocksBytesMax) throw new BlocksTooLargeError(`Too many blocks. Max: ${blocksBytesMax} bytes`)
    return block
  })
}
