import { type Queryable, statement } from '@rookery/db'

import { refreshGraceMs } from '../limits.ts'

const rotate = statement<{ next_id: string; app_password_name: string | null; is_first: boolean }>(
  'refresh_token_rotate',
  // The row lock makes racing calls follow one another: the later ones see the successor that the first one chose.
  `with old as (
     select account_id, id, next_id, app_password_name from refresh_token
      where account_id = $1 and id = $2 and expires_at > now() for update
   ), rotated as (
     update refresh_token t
        set next_id = $3, expires_at = least(t.expires_at, now() + $5::integer * interval '1 millisecond')
       from old where t.account_id = old.account_id and t.id = old.id and old.next_id is null
   ), successor as (
     insert into refresh_token (account_id, id, expires_at, app_password_name)
     select account_id, $3, $4, app_password_name from old where next_id is null
   )
   select coalesce(next_id, $3) as next_id, app_password_name, next_id is null as is_first from old`,
)

const find = statement<{ expires_at: Date }>(
  'refresh_token_find',
  'select expires_at from refresh_token where account_id = $1 and id = $2 and expires_at > now()',
)

const insert = statement(
  'refresh_token_insert',
  `with expired as (delete from refresh_token where account_id = $1 and expires_at <= now())
   insert into refresh_token (account_id, id, expires_at) values ($1, $2, $3)`,
)

/** Stores a new refresh token, and drops those of the account whose time is over. */
export async function insertRefreshToken(
  tx: Queryable,
  token: { accountId: number; id: string; expiresAt: Date },
): Promise<void> {
  await insert(tx, [token.accountId, token.id, token.expiresAt])
}

/**
 * Rotates a refresh token: makes `nextId` its successor, or finds the successor that an earlier call made within
 * the grace.
 *
 * @returns the successor; undefined if the token, or its successor, is gone or its time is over.
 */
export async function rotateRefreshToken(
  db: Queryable,
  token: { accountId: number; id: string; nextId: string; nextExpiresAt: Date },
): Promise<{ id: string; expiresAt: Date } | undefined> {
  const values = [token.accountId, token.id, token.nextId, token.nextExpiresAt, refreshGraceMs]
  const { rows } = await rotate(db, values)
  const [row] = rows
  if (row === undefined) return undefined
  if (row.is_first) return { id: row.next_id, expiresAt: token.nextExpiresAt }
  // A successor that was signed out since must not come back to life. A new statement, for the rotation that this
  // one waited for is not in its snapshot.
  const successor = await find(db, [token.accountId, row.next_id])
  return successor.rows[0] && { id: row.next_id, expiresAt: successor.rows[0].expires_at }
}

/** Deletes one refresh token. */
export async function deleteRefreshToken(
  db: Queryable,
  token: { accountId: number; id: string },
): Promise<void> {
  await db.query('delete from refresh_token where account_id = $1 and id = $2', [token.accountId, token.id])
}

/** Deletes every refresh token of the account. */
export async function deleteRefreshTokens(db: Queryable, accountId: number): Promise<void> {
  await db.query('delete from refresh_token where account_id = $1', [accountId])
}
