import type { Generated } from 'kysely'

/** fetching → fetched or failed; failed → fetching with another session. */
export type AccountMoveState = 'fetching' | 'fetched' | 'failed'

/** An account on its way here from another server. */
export type AccountMoveTable = {
  account_id: number
  host_id: number
  pds_url: string
  /** The session with the old server. */
  wrapped: Buffer
  state: Generated<AccountMoveState>
  is_repo_done: Generated<boolean>
  blobs_done: Generated<number>
  blobs_failed: Generated<number>
  failure: string | null
  expires_at: Date
}
