import type { Queryable } from '@rookery/db'

import { notActive, requireActive } from '../repo-status.ts'
import type { RepoHead } from '../storage/storage-queries.ts'
import { type RepoAddress, findHeadByDid } from './export-queries.ts'

/** Who reads a repo. */
export type ReadOptions = {
  /** Whether it may be read while it is not active: by the account itself and by admins (SPEC ST-3). */
  allowInactive: boolean
}

/**
 * Returns the head of a repo that the caller may read.
 *
 * @throws {RepoNotFoundError} if the host has no such repo, or no longer.
 * @throws {RepoTakendownError} {RepoSuspendedError} {RepoDeactivatedError} if it is not active and must be.
 */
export async function getServableRepo(
  db: Queryable,
  address: RepoAddress,
  options: ReadOptions,
): Promise<RepoHead> {
  const head = await findHeadByDid(db, address)
  if (head === undefined) throw notActive(address.did, undefined)
  if (!options.allowInactive) requireActive(address.did, head.status)
  return head
}
