import type { Queryable } from '@rookery/db'

import type { AppPassword } from './app-passwords.ts'

const columns = 'name, privileged, created_at as "createdAt"'

/** Returns the account's app passwords, the oldest first. */
export async function listAppPasswordRows(db: Queryable, accountId: number): Promise<AppPassword[]> {
  const { rows } = await db.query<AppPassword>(
    `select ${columns} from app_password where account_id = $1 order by created_at, name`,
    [accountId],
  )
  return rows
}

/** Returns the account's app password with this hash, or undefined. */
export async function findAppPassword(
  db: Queryable,
  accountId: number,
  passwordHash: Buffer,
): Promise<AppPassword | undefined> {
  const { rows } = await db.query<AppPassword>(
    `select ${columns} from app_password where account_id = $1 and password_hash = $2`,
    [accountId, passwordHash],
  )
  return rows[0]
}

/**
 * Returns the app password that a refresh token's session began with, or undefined if it was revoked. One made since
 * under the same name is another: a token that was stored while it was revoked must not come back to life with it.
 */
export async function findAppPasswordOfSession(
  db: Queryable,
  token: { accountId: number; tokenId: string },
): Promise<AppPassword | undefined> {
  const { rows } = await db.query<AppPassword>(
    `select a.name, a.privileged, a.created_at as "createdAt"
       from refresh_token t
       join app_password a on a.account_id = t.account_id and a.name = t.app_password_name
      where t.account_id = $1 and t.id = $2 and a.created_at <= t.created_at`,
    [token.accountId, token.tokenId],
  )
  return rows[0]
}

/** Stores an app password and returns it, or undefined if the account has one of that name. */
export async function insertAppPassword(
  tx: Queryable,
  row: { accountId: number; name: string; passwordHash: Buffer; privileged: boolean },
): Promise<AppPassword | undefined> {
  const { rows } = await tx.query<AppPassword>(
    `insert into app_password (account_id, name, password_hash, privileged) values ($1, $2, $3, $4)
     on conflict (account_id, name) do nothing returning ${columns}`,
    [row.accountId, row.name, row.passwordHash, row.privileged],
  )
  return rows[0]
}

/** Deletes an app password and the sessions that began with it. */
export async function deleteAppPassword(tx: Queryable, accountId: number, name: string): Promise<void> {
  await tx.query('delete from app_password where account_id = $1 and name = $2', [accountId, name])
  await tx.query('delete from refresh_token where account_id = $1 and app_password_name = $2', [
    accountId,
    name,
  ])
}
