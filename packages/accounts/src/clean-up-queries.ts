import type { Queryable } from '@rookery/db'

import { spentTokenKeepMs } from './limits.ts'

/** Rows that one clean-up deletes of each kind. */
const batchRows = 5_000

/**
 * Deletes a batch of refresh tokens, mailed tokens, sign-up claims and answered challenges whose time is over. They already do nothing.
 *
 * @returns how many rows went.
 */
export async function deleteExpiredTokens(db: Queryable): Promise<number> {
  const tokens = await db.query(
    `delete from refresh_token where (account_id, id) in (
       select account_id, id from refresh_token where expires_at <= now() limit $1 for update skip locked)`,
    [batchRows],
  )
  const mailed = await db.query(
    `delete from email_token where (account_id, purpose) in (
       select account_id, purpose from email_token
       where requested_at < now() - $2::integer * interval '1 millisecond' limit $1 for update skip locked)`,
    [batchRows, spentTokenKeepMs],
  )
  const claims = await db.query(
    `delete from account_claim where (host_id, did) in (
       select host_id, did from account_claim where expires_at <= now() limit $1 for update skip locked)`,
    [batchRows],
  )
  const challenges = await db.query(
    `delete from passkey_challenge where (host_id, challenge_hash) in (
       select host_id, challenge_hash from passkey_challenge where expires_at <= now() limit $1 for update skip locked)`,
    [batchRows],
  )
  return (challenges.rowCount ?? 0) + (tokens.rowCount ?? 0) + (mailed.rowCount ?? 0) + (claims.rowCount ?? 0)
}
