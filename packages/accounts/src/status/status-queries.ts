import type { AccountStatus, Queryable } from '@rookery/db'
import type { Cid } from '@rookery/syntax'

import type { Account } from '../account.ts'
import { endSessions } from '../sessions/session-queries.ts'

/** Locks the account's repo head until the transaction ends; returns its rev, or undefined if there is no repo. */
export async function lockRepo(tx: Queryable, accountId: number): Promise<{ rev: string } | undefined> {
  const { rows } = await tx.query<{ rev: string }>('select rev from repo where account_id = $1 for update', [
    accountId,
  ])
  return rows[0]
}

/** Returns the repo's signed commit, or undefined if there is no repo. */
export async function findSignedHead(
  tx: Queryable,
  accountId: number,
): Promise<{ rev: string; cid: Cid; bytes: Buffer } | undefined> {
  const { rows } = await tx.query<{ rev: string; cid: Cid; bytes: Buffer }>(
    'select rev, head as cid, commit as bytes from repo where account_id = $1',
    [accountId],
  )
  return rows[0]
}

/** Stores the account's status flags, and the status that follows from them with the repo. */
export async function updateStatus(
  tx: Queryable,
  account: Pick<Account, 'id' | 'takedown_ref' | 'suspended_at' | 'deactivated_at' | 'delete_after'>,
  status: AccountStatus,
): Promise<void> {
  await tx.query(
    `update account set takedown_ref = $2, suspended_at = $3, deactivated_at = $4, delete_after = $5 where id = $1`,
    [account.id, account.takedown_ref, account.suspended_at, account.deactivated_at, account.delete_after],
  )
  await tx.query('update repo set status = $2 where account_id = $1', [account.id, status])
}

/** Removes the account's login, keys and repo head, and leaves a tombstone with the repo's last rev. */
export async function deleteAccountRows(
  tx: Queryable,
  account: Account,
  rev: string | undefined,
): Promise<void> {
  await endSessions(tx, account.id)
  await tx.query('delete from oauth_grant where account_id = $1', [account.id])
  await tx.query('delete from app_password where account_id = $1', [account.id])
  await tx.query('delete from totp where account_id = $1', [account.id])
  await tx.query('delete from recovery_code where account_id = $1', [account.id])
  await tx.query('delete from passkey where account_id = $1', [account.id])
  await tx.query('delete from known_device where account_id = $1', [account.id])
  await tx.query('delete from sign_in_failure where account_id = $1', [account.id])
  await tx.query('delete from preference where account_id = $1', [account.id])
  await tx.query('delete from account_move where account_id = $1', [account.id])
  await tx.query('delete from account_export where account_id = $1', [account.id])
  await tx.query('delete from email_token where account_id = $1', [account.id])
  await tx.query('delete from signing_key where account_id = $1', [account.id])
  await tx.query('delete from repo where account_id = $1', [account.id])
  await tx.query('delete from account where id = $1', [account.id])
  if (rev === undefined) return
  await tx.query(
    `insert into account_tombstone (host_id, did, rev) values ($1, $2, $3)
     on conflict (host_id, did) do update set rev = greatest(account_tombstone.rev, excluded.rev), deleted_at = now()`,
    [account.host_id, account.did, rev],
  )
}

/** Returns the ids of accounts whose time to be deleted has come, longest due first. */
export async function listAccountsToDelete(db: Queryable, limit: number): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>(
    'select id from account where delete_after <= now() order by delete_after limit $1',
    [limit],
  )
  return rows.map(({ id }) => id)
}
