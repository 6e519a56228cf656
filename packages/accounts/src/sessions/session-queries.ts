import { type Queryable, statement } from '@rookery/db'

import { distrustDevices } from '../devices/known-device-queries.ts'
import { refreshGraceMs } from '../limits.ts'

// The row's lock makes racing calls follow one another: the later ones find that it has a successor, and do nothing.
const rotate = statement<{ app_password_name: string | null }>(
  'refresh_token_rotate_in_time',
  `with rotated as (
     update refresh_token
        set next_id = $3, expires_at = least(expires_at, now() + $5::integer * interval '1 millisecond')
      where account_id = $1 and id = $2 and expires_at > now() and next_id is null
        and ($6::bigint is null or created_at > now() - $6 * interval '1 millisecond')
      returning account_id, app_password_name)
   insert into refresh_token (account_id, id, expires_at, app_password_name)
   select account_id, $3, $4, app_password_name from rotated returning app_password_name`,
)

const findSuccessor = statement<{ id: string; expires_at: Date; app_password_name: string | null }>(
  'refresh_token_successor_in_time',
  `select next.id, next.expires_at, next.app_password_name
     from refresh_token old join refresh_token next on next.account_id = old.account_id and next.id = old.next_id
    where old.account_id = $1 and old.id = $2 and old.expires_at > now() and next.expires_at > now()
      and ($3::bigint is null or next.created_at > now() - $3 * interval '1 millisecond')`,
)

const insert = statement(
  'refresh_token_insert',
  `with expired as (delete from refresh_token where account_id = $1 and expires_at <= now())
   insert into refresh_token (account_id, id, expires_at, app_password_name) values ($1, $2, $3, $4)`,
)

/** Stores a new refresh token, and drops those of the account whose time is over. */
export async function insertRefreshToken(
  tx: Queryable,
  token: { accountId: number; id: string; expiresAt: Date; appPasswordName: string | null },
): Promise<void> {
  await insert(tx, [token.accountId, token.id, token.expiresAt, token.appPasswordName])
}

/** A refresh token that another one was exchanged for. */
export type NextRefreshToken = {
  id: string
  expiresAt: Date
  /** The app password that began the session, or null for the account's own. */
  appPasswordName: string | null
}

/**
 * Rotates a refresh token: makes `nextId` its successor, or finds the successor that an earlier call made within
 * the grace.
 *
 * @param token.restMs how long it may rest before it is rotated, in milliseconds; null: until it expires.
 * @returns the successor; undefined if the token, or its successor, is gone or its time is over.
 */
export async function rotateRefreshToken(
  db: Queryable,
  token: { accountId: number; id: string; nextId: string; nextExpiresAt: Date; restMs: number | null },
): Promise<NextRefreshToken | undefined> {
  const { accountId, id, nextId, nextExpiresAt, restMs } = token
  const rotated = (await rotate(db, [accountId, id, nextId, nextExpiresAt, refreshGraceMs, restMs])).rows[0]
  if (rotated !== undefined) {
    return { id: nextId, expiresAt: nextExpiresAt, appPasswordName: rotated.app_password_name }
  }
  // A new statement, for the rotation that the other one waited for is not in its snapshot. A successor that was
  // signed out since is gone and must not come back to life.
  const next = (await findSuccessor(db, [accountId, id, restMs])).rows[0]
  return next && { id: next.id, expiresAt: next.expires_at, appPasswordName: next.app_password_name }
}

/** Deletes one refresh token. */
export async function deleteRefreshToken(
  db: Queryable,
  token: { accountId: number; id: string },
): Promise<void> {
  await db.query('delete from refresh_token where account_id = $1 and id = $2', [token.accountId, token.id])
}

/**
 * Ends the access tokens of all sessions of the account that began with a password, at once; those whose refresh token is
 * there get another one with it. Locks the repo first, as everything does that changes both.
 */
export async function endAccessTokens(tx: Queryable, accountId: number): Promise<void> {
  await tx.query('update repo set session_epoch = session_epoch + 1 where account_id = $1', [accountId])
  await tx.query('update account set session_epoch = session_epoch + 1 where id = $1', [accountId])
}

/** Ends one session with a password, with its access token; the others are given new ones. */
export async function endPasswordSession(
  tx: Queryable,
  token: { accountId: number; id: string },
): Promise<void> {
  await deleteRefreshToken(tx, token)
  await endAccessTokens(tx, token.accountId)
}

/**
 * Ends every session of the account: its refresh tokens, what apps got by OAuth, and the browsers it is signed in with.
 * What the account granted to which app stays known; browsers are no longer trusted.
 *
 * @param options.keepsAccessTokens whether access tokens of sessions with a password stay until their time is over, for the
 *   little that a barred account may do with them. Default false.
 */
export async function endSessions(
  tx: Queryable,
  accountId: number,
  { keepsAccessTokens = false }: { keepsAccessTokens?: boolean } = {},
): Promise<void> {
  if (!keepsAccessTokens) await endAccessTokens(tx, accountId)
  await tx.query('delete from refresh_token where account_id = $1', [accountId])
  await tx.query(
    `with gone as (delete from oauth_token where account_id = $1 returning chain)
     delete from oauth_used_refresh_token where chain in (select chain from gone)`,
    [accountId],
  )
  await tx.query('delete from oauth_request where account_id = $1', [accountId])
  await tx.query('delete from oauth_device_account where account_id = $1', [accountId])
  await distrustDevices(tx, accountId)
}
