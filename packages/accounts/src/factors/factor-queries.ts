import type { Queryable } from '@rookery/db'

/** An account's authenticator app as it is stored. */
export type TotpRow = {
  wrapped: Buffer
  last_step: number
  failures: number
  /** Whether codes are refused at present, after too many wrong ones. */
  is_refused: boolean
  confirmed_at: Date | null
}

const columns = `wrapped, last_step, failures, coalesce(refused_until > now(), false) as is_refused, confirmed_at`

/** Returns the account's authenticator app, locked until the transaction ends; undefined if there is none. */
export async function lockTotp(tx: Queryable, accountId: number): Promise<TotpRow | undefined> {
  const { rows } = await tx.query<TotpRow>(`select ${columns} from totp where account_id = $1 for update`, [
    accountId,
  ])
  return rows[0]
}

/** Returns the account's authenticator app; undefined if there is none. */
export async function findTotp(db: Queryable, accountId: number): Promise<TotpRow | undefined> {
  const { rows } = await db.query<TotpRow>(`select ${columns} from totp where account_id = $1`, [accountId])
  return rows[0]
}

/** Stores an authenticator app that is still to be confirmed; false if there is one that is. */
export async function upsertTotp(tx: Queryable, accountId: number, wrapped: Buffer): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into totp (account_id, wrapped) values ($1, $2)
     on conflict (account_id) do update set wrapped = excluded.wrapped, failures = 0, refused_until = null,
       last_step = 0, created_at = now() where totp.confirmed_at is null`,
    [accountId, wrapped],
  )
  return rowCount === 1
}

/** Notes a right code: its step and those before are used up. */
export async function updateTotpStep(tx: Queryable, accountId: number, step: number): Promise<void> {
  await tx.query(
    `update totp set last_step = $2, failures = 0, refused_until = null,
       confirmed_at = coalesce(confirmed_at, now()) where account_id = $1`,
    [accountId, step],
  )
}

/** Notes a wrong code, after which codes are refused for a while. */
export async function updateTotpFailures(
  tx: Queryable,
  accountId: number,
  { failures, refuseMs }: { failures: number; refuseMs: number },
): Promise<void> {
  await tx.query(
    `update totp set failures = $2, refused_until = now() + $3::integer * interval '1 millisecond'
      where account_id = $1`,
    [accountId, failures, refuseMs],
  )
}

/** Deletes the authenticator app and tells whether it was a factor. */
export async function deleteTotp(tx: Queryable, accountId: number): Promise<boolean> {
  const { rows } = await tx.query<{ confirmed_at: Date | null }>(
    'delete from totp where account_id = $1 returning confirmed_at',
    [accountId],
  )
  return rows.some(({ confirmed_at }) => confirmed_at !== null)
}

/** Stores these recovery codes in place of all others. */
export async function replaceRecoveryCodes(
  tx: Queryable,
  accountId: number,
  hashes: readonly Buffer[],
): Promise<void> {
  await deleteRecoveryCodes(tx, accountId)
  await tx.query('insert into recovery_code (account_id, code_hash) select $1, unnest($2::bytea[])', [
    accountId,
    hashes,
  ])
}

/** Deletes all recovery codes of the account. */
export async function deleteRecoveryCodes(tx: Queryable, accountId: number): Promise<void> {
  await tx.query('delete from recovery_code where account_id = $1', [accountId])
}

/** Deletes the recovery code and tells whether it was there: of two that use it at the same time one finds it. */
export async function deleteRecoveryCode(db: Queryable, accountId: number, hash: Buffer): Promise<boolean> {
  const { rowCount } = await db.query('delete from recovery_code where account_id = $1 and code_hash = $2', [
    accountId,
    hash,
  ])
  return rowCount === 1
}

/** Returns how many recovery codes the account has left. */
export async function countRecoveryCodes(db: Queryable, accountId: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'select count(*)::integer as count from recovery_code where account_id = $1',
    [accountId],
  )
  return rows[0]?.count ?? 0
}

/** Stores whether codes by mail are a factor. */
export async function updateEmailFactor(tx: Queryable, accountId: number, isOn: boolean): Promise<void> {
  await tx.query('update account set email_auth_factor = $2 where id = $1', [accountId, isOn])
}
