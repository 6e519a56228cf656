import type { Queryable } from '@rookery/db'

/** Marks the account's address as confirmed, if it still is this one; tells whether it is. */
export async function confirmAddress(tx: Queryable, accountId: number, email: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    'update account set email_confirmed_at = now() where id = $1 and email = $2',
    [accountId, email],
  )
  return rowCount === 1
}

/** Stores a new address, not confirmed: codes are not mailed to it before it is. One that is taken is a unique violation of PostgreSQL. */
export async function updateAddress(tx: Queryable, accountId: number, email: string): Promise<void> {
  await tx.query(
    'update account set email = $2, email_confirmed_at = null, email_auth_factor = false where id = $1',
    [accountId, email],
  )
}
