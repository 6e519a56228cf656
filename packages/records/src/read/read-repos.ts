import type { AccountStatus, Queryable } from '@rookery/db'
import type { Cid, Did, Tid } from '@rookery/syntax'

import { InvalidCursorError } from '../errors.ts'
import { notActive } from '../repo-status.ts'
import { type FoundRepo, findRepo, hasTombstone, listRepoRows } from './read-queries.ts'

/** How a repo stands on this host, as `getRepoStatus` and `listRepos` tell it. */
export type RepoStanding = {
  did: Did
  active: boolean
  status?: Exclude<AccountStatus, 'active'> | 'deleted'
  rev?: Tid
}

/**
 * Returns the host's repo of a DID for a reader of com.atproto.sync.
 *
 * @param options.seesInactive whether the reader is the account itself or an admin: they may read whatever its status.
 * @throws {RepoNotFoundError} {RepoTakendownError} {RepoSuspendedError} {RepoDeactivatedError} for the repo's state.
 */
export async function getReadableRepo(
  db: Queryable,
  options: { hostId: number; did: string; seesInactive: boolean },
): Promise<FoundRepo> {
  const { hostId, did, seesInactive } = options
  const repo = did.startsWith('did:') ? await findRepo(db, hostId, did) : undefined
  if (repo === undefined) throw notActive(did, undefined)
  if (repo.status !== 'active' && !seesInactive) throw notActive(did, repo.status)
  return repo
}

/**
 * Returns how a repo stands; a deleted one is remembered (SPEC ST-2).
 *
 * @throws {RepoNotFoundError} if the host has never had it.
 */
export async function getRepoStatus(
  db: Queryable,
  options: { hostId: number; did: string },
): Promise<RepoStanding> {
  const { hostId, did } = options
  const repo = await findRepo(db, hostId, did)
  if (repo === undefined) {
    if (await hasTombstone(db, hostId, did)) return { did, active: false, status: 'deleted' }
    throw notActive(did, undefined)
  }
  return repo.status === 'active'
    ? { did, active: true, rev: repo.rev }
    : { did, active: false, status: repo.status }
}

/**
 * Returns a page of the host's repos, active or not, in a stable order.
 *
 * @throws {InvalidCursorError} if no page gave this cursor.
 */
export async function listRepos(
  db: Queryable,
  options: { hostId: number; limit: number; cursor?: string | undefined },
): Promise<{ repos: (RepoStanding & { head: Cid; rev: Tid })[]; cursor: string | undefined }> {
  const { hostId, limit, cursor = '0' } = options
  if (!/^\d{1,15}$/.test(cursor)) throw new InvalidCursorError('Malformed cursor')
  const rows = await listRepoRows(db, { hostId, limit, after: Number(cursor) })
  const last = rows.length === limit ? rows.at(-1) : undefined
  return {
    repos: rows.map(({ did, head, rev, status }) => ({
      did,
      head,
      rev,
      active: status === 'active',
      ...(status === 'active' ? {} : { status }),
    })),
    cursor: last && String(last.accountId),
  }
}
