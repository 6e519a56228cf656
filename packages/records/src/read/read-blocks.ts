import type { Queryable } from '@rookery/db'
import {
  type Block,
  MissingBlockError,
  encodeCar,
  findRecord,
  loadPaths,
  openTree,
  pathProof,
} from '@rookery/repo'
import { type Cid, cidEquals, cidKey, cidToString } from '@rookery/syntax'

import { BlockNotFoundError } from '../errors.ts'
import { notActive } from '../repo-status.ts'
import type { NodeCache } from '../storage/node-cache.ts'
import { type RepoHead, findHead } from '../storage/storage-queries.ts'
import { StoredNodes } from '../storage/stored-nodes.ts'
import { findRecordBlock, findRecordBlocks } from './read-queries.ts'

/** How often a read that a commit or a compaction has overtaken starts anew. */
const attemptsMax = 5

/**
 * Returns the CAR that proves a record, or that there is none: the commit, the nodes on the path, and the record.
 *
 * @throws {RepoNotFoundError} if the account has no repo.
 */
export async function proveRecord(
  deps: { db: Queryable; nodeCache: NodeCache },
  wanted: { accountId: number; did: string; collection: string; rkey: string },
): Promise<Buffer> {
  for (let attempt = 1; ; attempt++) {
    const head = await findHead(deps.db, wanted.accountId)
    if (head === undefined) throw notActive(wanted.did, undefined)
    try {
      const blocks = await proofBlocks(deps, head, wanted)
      if (blocks !== undefined) return encodeCar(head.head, blocks)
    } catch (error) {
      if (!(error instanceof MissingBlockError) || attempt >= attemptsMax) throw error
    }
    if (attempt >= attemptsMax) throw new MissingBlockError(head.data)
  }
}

async function proofBlocks(
  deps: { db: Queryable; nodeCache: NodeCache },
  head: RepoHead,
  wanted: { collection: string; rkey: string },
): Promise<Block[] | undefined> {
  const path = `${wanted.collection}/${wanted.rkey}`
  const tree = openTree(head.data)
  await loadPaths(tree, [path], new StoredNodes(deps.db, head.accountId, { cache: deps.nodeCache }))
  const blocks: Block[] = [{ cid: head.head, bytes: head.commit }, ...pathProof(tree, path)]
  const cid = findRecord(tree, path)
  if (cid === undefined) return blocks
  const record = await findRecordBlock(deps.db, { accountId: head.accountId, ...wanted })
  // Another version has been written since the head was read.
  if (record === undefined || !cidEquals(record.cid, cid)) return undefined
  return [...blocks, record]
}

/**
 * Returns a CAR of some blocks of the repo: its commit, tree nodes and records. Reads every record of the repo when
 * one of them is asked for, so callers bound how many of these run at once.
 *
 * @throws {BlockNotFoundError} if the repo does not have one of them.
 * @throws {RepoNotFoundError} if the account has no repo.
 */
export async function getBlocks(
  db: Queryable,
  wanted: { accountId: number; did: string; cids: readonly Cid[] },
): Promise<Buffer> {
  const head = await findHead(db, wanted.accountId)
  if (head === undefined) throw notActive(wanted.did, undefined)
  const found = new Map<string, Block>()
  const keep = (block: Block): Map<string, Block> => found.set(cidKey(block.cid), block)
  const missing = (): Cid[] => wanted.cids.filter((cid) => !found.has(cidKey(cid)))
  keep({ cid: head.head, bytes: head.commit })
  // Without the shared cache: what other repos have is none of this one's readers' business.
  if (missing().length > 0) {
    for (const node of await new StoredNodes(db, wanted.accountId).getMany(missing())) keep(node)
  }
  if (missing().length > 0) {
    for (const record of await findRecordBlocks(db, wanted.accountId, missing())) keep(record)
  }
  const absent = missing()
  if (absent.length > 0)
    throw new BlockNotFoundError(`Could not find cids: ${absent.map(cidToString).join(', ')}`)
  return encodeCar(
    head.head,
    wanted.cids.flatMap((cid) => found.get(cidKey(cid)) ?? []),
  )
}
