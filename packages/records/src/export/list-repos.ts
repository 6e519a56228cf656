import type { AccountStatus, Queryable } from '@rookery/db'
import type { Cid, Tid } from '@rookery/syntax'

import { InvalidCursorError } from '../errors.ts'
import { notActive } from '../repo-status.ts'
import { type RepoAddress, findHeadByDid, hasTombstone, listRepoRows } from './export-queries.ts'

/** Why a repo is not active. */
export type InactiveStatus = Exclude<AccountStatus, 'active'> | 'deleted'

/** What anybody may know of a repo, whatever its status. */
export type RepoStatus = {
  did: string
  active: boolean
  /** Only if it is not active. */
  status?: InactiveStatus
  /** Only if it is active. */
  rev?: Tid
}

/**
 * Returns whether a repo is active, and if not, why; also of one that was deleted (SPEC ST-2).
 *
 * @throws {RepoNotFoundError} if the host has never had it.
 */
export async function getRepoStatus(db: Queryable, address: RepoAddress): Promise<RepoStatus> {
  const { did } = address
  const head = await findHeadByDid(db, address)
  if (head !== undefined) {
    return head.status === 'active'
      ? { did, active: true, rev: head.rev }
      : { did, active: false, status: head.status }
  }
  if (await hasTombstone(db, address)) return { did, active: false, status: 'deleted' }
  throw notActive(did, undefined)
}

/** One repo of a host. */
export type RepoSummary = {
  did: string
  head: Cid
  rev: Tid
  active: boolean
  /** Only if it is not active. */
  status?: InactiveStatus
}

/**
 * Returns a page of the host's repos in the order in which they came, inactive ones with their status (SPEC ST-6).
 *
 * @returns with a cursor unless this is the end.
 * @throws {InvalidCursorError} for a cursor that no page gave.
 */
export async function listRepos(
  db: Queryable,
  options: { hostId: number; limit: number; cursor?: string | undefined },
): Promise<{ repos: RepoSummary[]; cursor?: string }> {
  const { hostId, limit } = options
  const rows = await listRepoRows(db, { hostId, limit, afterAccount: parseCursor(options.cursor) })
  const repos = rows.map(({ did, head, rev, status }) => ({
    did,
    head,
    rev,
    active: status === 'active',
    ...(status === 'active' ? {} : { status }),
  }))
  const last = rows.at(-1)
  return rows.length < limit || last === undefined ? { repos } : { repos, cursor: String(last.accountId) }
}

function parseCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0
  if (!/^[1-9]\d{0,14}$/.test(cursor)) throw new InvalidCursorError('Malformed cursor')
  return Number(cursor)
}
