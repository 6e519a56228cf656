import type { AccountMoveState, Queryable } from '@rookery/db'

/** What an owner sees of the account's move. */
export type AccountMove = {
  state: AccountMoveState
  pdsUrl: string
  /** The session with the old server, sealed. */
  wrapped: Buffer
  /** Whether the repo is here. */
  isRepoDone: boolean
  blobsDone: number
  /** Blobs that the old server did not give. */
  blobsFailed: number
  /** Why it failed, for people. */
  failure: string | null
}

const columns = `state, pds_url as "pdsUrl", wrapped, is_repo_done as "isRepoDone", blobs_done as "blobsDone",
  blobs_failed as "blobsFailed", failure`

/** Returns the account's move, or undefined if there is none, or its time is over. */
export async function findMove(db: Queryable, accountId: number): Promise<AccountMove | undefined> {
  const { rows } = await db.query<AccountMove>(
    `select ${columns} from account_move where account_id = $1 and expires_at > now()`,
    [accountId],
  )
  return rows[0]
}

/** Begins the account's move, or begins it again with another session. */
export async function upsertMove(
  tx: Queryable,
  move: { accountId: number; hostId: number; pdsUrl: string; wrapped: Buffer; lifeMs: number },
): Promise<void> {
  await tx.query(
    `insert into account_move (account_id, host_id, pds_url, wrapped, expires_at)
     values ($1, $2, $3, $4, now() + $5::bigint * interval '1 millisecond')
     on conflict (account_id) do update set pds_url = excluded.pds_url, wrapped = excluded.wrapped,
       expires_at = excluded.expires_at, state = 'fetching', is_repo_done = false, blobs_done = 0, blobs_failed = 0, failure = null`,
    [move.accountId, move.hostId, move.pdsUrl, move.wrapped, move.lifeMs],
  )
}

/** Stores the next session with the old server, in place of the one that was exchanged for it. */
export async function replaceOldSession(
  db: Queryable,
  accountId: number,
  { before, after }: { before: Buffer; after: Buffer },
): Promise<void> {
  await db.query('update account_move set wrapped = $3 where account_id = $1 and wrapped = $2', [
    accountId,
    before,
    after,
  ])
}

/** Notes how far the move has come; false if it is over. */
export async function storeMoveProgress(
  db: Queryable,
  accountId: number,
  progress: Pick<AccountMove, 'isRepoDone' | 'blobsDone' | 'blobsFailed'>,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update account_move set is_repo_done = $2, blobs_done = $3, blobs_failed = $4
      where account_id = $1 and state = 'fetching'`,
    [accountId, progress.isRepoDone, progress.blobsDone, progress.blobsFailed],
  )
  return rowCount === 1
}

/** Notes that everything is here, or why it is not. */
export async function endFetching(db: Queryable, accountId: number, failure: string | null): Promise<void> {
  await db.query(
    `update account_move set state = case when $2::text is null then 'fetched' else 'failed' end, failure = $2
      where account_id = $1 and state = 'fetching'`,
    [accountId, failure],
  )
}

/** Forgets the account's move, and the session with the old server. */
export async function deleteMove(db: Queryable, accountId: number): Promise<void> {
  await db.query('delete from account_move where account_id = $1', [accountId])
}

/** Forgets moves whose time is over. */
export async function deleteExpiredMoves(db: Queryable): Promise<void> {
  await db.query('delete from account_move where expires_at <= now()')
}
