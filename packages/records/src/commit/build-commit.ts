import type { Queryable } from '@rookery/db'
import { encodeCommitFrame } from '@rookery/events'
import {
  type Block,
  type RemovedNode,
  type RepoOp,
  type Sign,
  type Tree,
  applyOps,
  buildSlice,
  loadPaths,
  signCommit,
} from '@rookery/repo'
import type { Cid, Tid } from '@rookery/syntax'

import { CommitTooLargeError } from '../errors.ts'
import { commitCarBytesMax, commitOpsMax } from '../limits.ts'
import { encodePack } from '../storage/pack.ts'
import type { WriteHead } from '../storage/storage-queries.ts'
import type { StoredNodes } from '../storage/stored-nodes.ts'
import type { NewCommit } from './commit-queries.ts'
import { type RecordWrite, pathOf } from './record-write.ts'

/** What a plan decides from: the repo at one head. */
export type RepoView = {
  readonly head: WriteHead
  /** Returns the CIDs of the records at these paths; undefined where there is none. */
  readonly find: (paths: readonly string[]) => Promise<(Cid | undefined)[]>
  /** Where further questions go; what it answers is of this head, or the commit is not stored. */
  readonly db: Queryable
}

/**
 * Decides what to write, given the repo as it is. Called again when the head has moved meanwhile, so it may not
 * have effects. Returns nothing to write for a no-op; throws to refuse.
 */
export type WritePlan = (view: RepoView) => Promise<readonly RecordWrite[]> | readonly RecordWrite[]

/** A commit ready to be stored, and the tree that follows it. */
export type BuiltCommit = {
  readonly commit: NewCommit
  readonly tree: Tree
  /** Nodes that the tree before did not have. */
  readonly newNodes: readonly Block[]
  /** Nodes that only that one had. */
  readonly removedNodes: readonly RemovedNode[]
}

/**
 * Applies writes to a repo's tree and signs the result.
 *
 * @throws {CommitTooLargeError} above `commitOpsMax` operations or `commitCarBytesMax` bytes of slice.
 * @throws {DuplicatePathError} if two writes have the same path.
 * @throws {RecordExistsError} if a record to create is there.
 * @throws {RecordMissingError} if a record to update or delete is not.
 * @throws {MissingBlockError} if a node is not where the packs should have it.
 */
export async function buildCommit(options: {
  head: WriteHead
  tree: Tree
  nodes: StoredNodes
  writes: readonly RecordWrite[]
  rev: Tid
  sign: Sign
  now: () => Date
}): Promise<BuiltCommit> {
  const { head, tree, nodes, writes, rev, sign, now } = options
  if (writes.length > commitOpsMax) throw new CommitTooLargeError(`Too many writes. Max: ${commitOpsMax}`)
  const ops = writes.map((write) =>
    write.action === 'delete'
      ? { action: write.action, path: pathOf(write) }
      : { action: write.action, path: pathOf(write), cid: write.cid },
  )
  await loadPaths(
    tree,
    ops.map(({ path }) => path),
    nodes,
  )
  const applied = applyOps(tree, ops, rev)
  const commit = await signCommit({ did: head.did, rev, data: applied.tree.root }, sign)
  const records = writes.flatMap((write) =>
    write.action === 'delete' ? [] : [{ cid: write.cid, bytes: write.bytes }],
  )
  const blocks = buildSlice({ commit, applied, records })
  if (blocks.length > commitCarBytesMax) {
    throw new CommitTooLargeError(`Too many writes. Max event size: ${commitCarBytesMax} bytes`)
  }
  const frame = encodeCommitFrame({
    repo: head.did,
    commit: commit.cid,
    rev,
    since: head.rev,
    blocks,
    ops: applied.ops.map(frameOp),
    prevData: head.data,
    time: now().toISOString(),
  })
  return {
    tree: applied.tree,
    newNodes: applied.newNodes,
    removedNodes: applied.removedNodes,
    commit: {
      accountId: head.accountId,
      hostId: head.hostId,
      expected: head.head,
      head: commit.cid,
      data: applied.tree.root,
      rev,
      commit: commit.bytes,
      pack: applied.newNodes.length === 0 ? new Uint8Array() : encodePack(applied.newNodes, rev),
      frame,
      writes,
    },
  }
}

function frameOp({ action, path, cid, prev }: RepoOp): {
  action: RepoOp['action']
  path: string
  cid: Cid | null
  prev?: Cid
} {
  return prev === null ? { action, path, cid } : { action, path, cid, prev }
}
