import type { Cid } from '@rookery/syntax'

import type { BlockStore } from './block.ts'
import { type Commit, decodeCommit } from './commit.ts'
import { MissingBlockError } from './errors.ts'
import { openTree } from './tree.ts'
import { type TreeLimits, listRecords } from './walk-tree.ts'

/** A repo from elsewhere whose commit was read; its tree is verified as `records` is iterated. */
export type ForeignRepo = {
  readonly commit: Commit
  /** Every record in ascending order of paths. Only when it has ended without an error is the tree sound. */
  readonly records: AsyncGenerator<{ path: string; cid: Cid }, void>
}

/**
 * Opens a repo from a CAR or a store for import: reads its commit and verifies the whole structure of its tree
 * while its records are listed. The caller checks the DID, the rev and, if it wants, the signature
 * (`verifyCommit`), and that every record's block is there and decodes (SPEC IMP-1).
 *
 * @throws {MissingBlockError} (also from `records`) if a block is missing.
 * @throws {InvalidCommitError} if the root is no commit.
 * @throws {InvalidNodeError} (from `records`) if a node is malformed or in the wrong place.
 * @throws {RepoLimitError} (from `records`) past one of the limits.
 * @example
 * const { roots, blocks } = await collectCar(body, limits)
 * const { commit, records } = await verifyRepo(roots[0], memoryStore(blocks))
 * for await (const { path, cid } of records) await stage(path, cid, must(blocks.get(cid)))
 */
export async function verifyRepo(
  root: Cid,
  store: BlockStore,
  limits: Partial<TreeLimits> = {},
): Promise<ForeignRepo> {
  const bytes = store.peek?.(root) ?? (await store.getMany([root])).get(root)
  if (!bytes) throw new MissingBlockError(root)
  const commit = decodeCommit(bytes)
  return { commit, records: listRecords(openTree(commit.data, { foreign: true }), store, { limits }) }
}
