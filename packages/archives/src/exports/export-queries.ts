import type { AccountExportState, Queryable } from '@rookery/db'

import type { Account } from '@rookery/accounts'

/** What an owner sees of the export of an account. */
export type AccountExport = {
  /** Tells it from one that was asked for before or after it. */
  id: string
  state: AccountExportState
  requestedAt: Date
  expiresAt: Date
  /** All there is to do, as it was counted at the beginning; null before. */
  recordsTotal: number | null
  blobsTotal: number | null
  /** How far it has come. */
  recordsDone: number
  blobsDone: number
  bytesDone: number
  /** Where the finished archive lies, and its bytes. */
  objectKey: string | null
  size: number | null
  /** Why it failed, for people. */
  failure: string | null
}

/** How far an export has come. */
export type ExportProgress = Pick<
  AccountExport,
  'recordsTotal' | 'blobsTotal' | 'recordsDone' | 'blobsDone' | 'bytesDone'
>

const columns = `id, state, requested_at as "requestedAt", expires_at as "expiresAt",
  records_total as "recordsTotal", blobs_total as "blobsTotal", records_done as "recordsDone",
  blobs_done as "blobsDone", bytes_done as "bytesDone", object_key as "objectKey", size, failure`

/** Returns the account's export, or undefined if none was asked for. */
export async function findExport(db: Queryable, accountId: number): Promise<AccountExport | undefined> {
  const { rows } = await db.query<AccountExport>(
    `select ${columns} from account_export where account_id = $1 and expires_at > now()`,
    [accountId],
  )
  return rows[0]
}

/** Adds an export, unless the account has one whose time is not over; one that failed makes room. */
export async function insertExport(
  tx: Queryable,
  wanted: { account: Pick<Account, 'id' | 'host_id' | 'tenant_id'>; id: string; lifeMs: number },
): Promise<boolean> {
  const { account, id, lifeMs } = wanted
  const { rowCount } = await tx.query(
    `insert into account_export (account_id, host_id, tenant_id, id, expires_at)
     values ($1, $2, $3, $4, now() + $5::bigint * interval '1 millisecond')
     on conflict (account_id) do update set id = excluded.id, state = 'building', requested_at = now(),
       expires_at = excluded.expires_at, records_total = null, blobs_total = null, records_done = 0, blobs_done = 0,
       bytes_done = 0, failure = null
     where account_export.state = 'failed'
       or (account_export.expires_at <= now() and account_export.object_key is null)`,
    [account.id, account.host_id, account.tenant_id, id, lifeMs],
  )
  return rowCount === 1
}

/** Notes how far an export has come; false if nobody wants it any more. */
export async function storeExportProgress(
  db: Queryable,
  of: { accountId: number; id: string },
  progress: ExportProgress,
): Promise<boolean> {
  const { recordsTotal, blobsTotal, recordsDone, blobsDone, bytesDone } = progress
  const { rowCount } = await db.query(
    `update account_export set records_total = $3, blobs_total = $4, records_done = $5, blobs_done = $6, bytes_done = $7
      where account_id = $1 and id = $2 and state = 'building'`,
    [of.accountId, of.id, recordsTotal, blobsTotal, recordsDone, blobsDone, bytesDone],
  )
  return rowCount === 1
}

/** Notes that the archive is there; false if nobody wants it any more. */
export async function finishExport(
  tx: Queryable,
  of: { accountId: number; id: string },
  archive: { objectKey: string; size: number; lifeMs: number },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update account_export set state = 'ready', object_key = $3, size = $4, bytes_done = $4,
       expires_at = now() + $5::bigint * interval '1 millisecond'
      where account_id = $1 and id = $2 and state = 'building'`,
    [of.accountId, of.id, archive.objectKey, archive.size, archive.lifeMs],
  )
  return rowCount === 1
}

/** Notes that there will be no archive, and why. */
export async function failExport(
  db: Queryable,
  of: { accountId: number; id: string },
  failure: string,
): Promise<void> {
  await db.query(
    `update account_export set state = 'failed', failure = $3
      where account_id = $1 and id = $2 and state = 'building'`,
    [of.accountId, of.id, failure],
  )
}

/** Removes an export's row, whatever its state. */
export async function deleteExportRow(db: Queryable, of: { accountId: number; id: string }): Promise<void> {
  await db.query('delete from account_export where account_id = $1 and id = $2', [of.accountId, of.id])
}

/** An export whose time is over. */
export type ExpiredExport = { accountId: number; id: string; objectKey: string | null }

/** Returns exports whose time is over, longest first. */
export async function listExpiredExports(db: Queryable, limit: number): Promise<ExpiredExport[]> {
  const { rows } = await db.query<ExpiredExport>(
    `select account_id as "accountId", id, object_key as "objectKey" from account_export
      where expires_at <= now() order by expires_at limit $1`,
    [limit],
  )
  return rows
}

/** Returns those of the keys that an export of the host has. */
export async function findExportKeys(
  db: Queryable,
  hostId: number,
  keys: readonly string[],
): Promise<Set<string>> {
  const { rows } = await db.query<{ key: string }>(
    'select object_key as key from account_export where host_id = $1 and object_key = any($2::text[])',
    [hostId, keys],
  )
  return new Set(rows.map(({ key }) => key))
}
