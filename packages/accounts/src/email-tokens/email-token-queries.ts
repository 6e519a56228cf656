import type { EmailTokenPurpose, Queryable } from '@rookery/db'

import { emailTokenAttemptsMax } from '../limits.ts'

type TokenKey = { accountId: number; purpose: EmailTokenPurpose }

/** Stores the account's token for the purpose in place of any earlier one. */
export async function upsertEmailToken(tx: Queryable, token: TokenKey & { hash: Buffer }): Promise<void> {
  await tx.query(
    `insert into email_token (account_id, purpose, token_hash) values ($1, $2, $3)
     on conflict (account_id, purpose) do update
       set token_hash = excluded.token_hash, requested_at = now(), failed_attempts = 0`,
    [token.accountId, token.purpose, token.hash],
  )
}

/** Returns the token's row if it is this one and still takes tries; counts a wrong try otherwise. */
export async function findEmailToken(
  db: Queryable,
  token: TokenKey & { hash: Buffer },
): Promise<{ requested_at: Date } | undefined> {
  const values = [token.accountId, token.purpose]
  const { rows } = await db.query<{ requested_at: Date }>(
    `select requested_at from email_token
      where account_id = $1 and purpose = $2 and token_hash = $3 and failed_attempts < $4`,
    [...values, token.hash, emailTokenAttemptsMax],
  )
  if (rows[0] === undefined) {
    await db.query(
      'update email_token set failed_attempts = failed_attempts + 1 where account_id = $1 and purpose = $2',
      values,
    )
  }
  return rows[0]
}

/** Returns whose token of the host this is, or undefined: for tokens that come without the name of an account. */
export async function findEmailTokenOfHost(
  db: Queryable,
  token: { hostId: number; purpose: EmailTokenPurpose; hash: Buffer },
): Promise<{ account_id: number; requested_at: Date } | undefined> {
  const { rows } = await db.query<{ account_id: number; requested_at: Date }>(
    `select t.account_id, t.requested_at from email_token t join account a on a.id = t.account_id
      where t.purpose = $1 and t.token_hash = $2 and a.host_id = $3 and t.failed_attempts < $4`,
    [token.purpose, token.hash, token.hostId, emailTokenAttemptsMax],
  )
  return rows[0]
}

/** Deletes every token of the account. */
export async function deleteEmailTokens(tx: Queryable, accountId: number): Promise<void> {
  await tx.query('delete from email_token where account_id = $1', [accountId])
}

/** Deletes the token and tells whether it was there. */
export async function deleteEmailToken(tx: Queryable, token: TokenKey & { hash: Buffer }): Promise<boolean> {
  const { rowCount } = await tx.query(
    'delete from email_token where account_id = $1 and purpose = $2 and token_hash = $3',
    [token.accountId, token.purpose, token.hash],
  )
  return rowCount === 1
}
