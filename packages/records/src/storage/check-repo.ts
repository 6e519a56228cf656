import { type Database, type Queryable, inTransaction } from '@rookery/db'
import { findDidKey, verifySignature } from '@rookery/identity'
import {
  BlockMap,
  InvalidNodeError,
  MissingBlockError,
  TreeBuilder,
  decodeCommit,
  memoryStore,
  openTree,
  verifyCommit,
  walkTree,
} from '@rookery/repo'
import { type Cid, cidEquals } from '@rookery/syntax'

import { InvalidPackError } from './pack.ts'
import { walkChunksMax } from '../limits.ts'
import { listCollections, listRecordCids } from '../read/read-queries.ts'
import { notActive } from '../repo-status.ts'
import { buildBase } from './compact.ts'
import { type RepoHead, loadRepo, lockHead, replaceBase } from './storage-queries.ts'
import { StoredNodes } from './stored-nodes.ts'

/** Records read at once while a tree is rebuilt. */
const pageRecords = 2_000

/** What a check of a repo's storage found. */
export type RepoCheck = {
  /** Whether the records make the tree that the head names. If not, the repo must be restored. */
  readonly recordsMatch: boolean
  /** Whether the packs hold every node of the tree. If not, `rebuildPacks` makes them anew from the records. */
  readonly packsComplete: boolean
  readonly records: number
  /** Whether the account's key signed the head; undefined if it has none here. */
  readonly isSigned: boolean | undefined
}

/**
 * Checks a repo against itself, as of one instant: its records against its head, and its packs against its tree.
 *
 * @throws {RepoNotFoundError} if the account has no repo.
 */
export function checkRepo(pool: Database['pool'], accountId: number): Promise<RepoCheck> {
  return inTransaction(
    pool,
    async (client) => {
      const loaded = await loadRepo(client, accountId)
      if (loaded === undefined) throw notActive(String(accountId), undefined)
      const { head, packs } = loaded
      const rebuilt = await rebuildTree(client, accountId, () => {})
      const nodes = new StoredNodes(client, accountId, { packs, chunksMax: walkChunksMax })
      return {
        recordsMatch: cidEquals(rebuilt.root, head.data),
        packsComplete: await isComplete(head, nodes),
        records: rebuilt.records,
        isSigned: await isSigned(client, head),
      }
    },
    { isolation: 'repeatable read' },
  )
}

/**
 * Makes a repo's packs anew from its records. Holds the tree in memory and the head's lock until it is done. Every
 * node then counts as new at the current rev, so a diff since an earlier one has all of them.
 *
 * @returns false, and changes nothing, if the records do not make the tree that the head names.
 * @throws {RepoNotFoundError} if the account has no repo.
 */
export function rebuildPacks(pool: Database['pool'], accountId: number): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    const head = await lockHead(client, accountId)
    if (head === undefined) throw notActive(String(accountId), undefined)
    const nodes = new BlockMap()
    const { root } = await rebuildTree(client, accountId, (node) => nodes.add(node))
    if (!cidEquals(root, head.data)) return false
    await replaceBase(client, accountId, await buildBase(openTree(root), memoryStore(nodes), head.rev))
    return true
  })
}

/** Builds the tree that an account's records make; `onNode` is given each node. */
async function rebuildTree(
  db: Queryable,
  accountId: number,
  onNode: (node: { cid: Cid; bytes: Uint8Array }) => void,
): Promise<{ root: Cid; records: number }> {
  const builder = new TreeBuilder(onNode)
  let records = 0
  const collections = await listCollections(db, accountId)
  // By the path's bytes, in which '/' follows '.' and '-': not always the order of the table.
  const prefixes = collections.map((collection) => `${collection}/`).sort()
  for (const prefix of prefixes) {
    const collection = prefix.slice(0, -1)
    for (let above = '', more = true; more;) {
      const page = await listRecordCids(db, { accountId, collection, above, limit: pageRecords })
      for (const { rkey, cid } of page) builder.add(prefix + rkey, cid)
      records += page.length
      above = page.at(-1)?.rkey ?? above
      more = page.length === pageRecords
    }
  }
  return { root: builder.finish(), records }
}

async function isSigned(db: Queryable, { accountId, commit }: RepoHead): Promise<boolean | undefined> {
  const didKey = await findDidKey(db, accountId)
  if (didKey === undefined) return undefined
  return verifyCommit(decodeCommit(commit), (bytes, sig) => verifySignature(didKey, bytes, sig))
}

async function isComplete(head: RepoHead, nodes: StoredNodes): Promise<boolean> {
  try {
    for await (const _ of walkTree(openTree(head.data, { foreign: true }), nodes));
    return true
  } catch (error) {
    const isDamage =
      error instanceof MissingBlockError ||
      error instanceof InvalidNodeError ||
      error instanceof InvalidPackError
    if (isDamage) return false
    throw error
  }
}
