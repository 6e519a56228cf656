import { type Database, type Queryable, inTransaction, statement } from '@rookery/db'

import type { BlobQuota } from './blob-queries.ts'
import { BlobQuotaExceededError } from './errors.ts'

/** How many bytes of blobs there are, and how many blobs. */
export type BlobUsage = { bytes: number; count: number }

/** What an account has, what it may have if it has a quota of its own, and what its tenant has. */
export type AccountBlobUsage = BlobUsage & { bytesMax: number | null; tenant: BlobUsage }

const findUsage = statement<{
  bytes: number
  count: number
  bytes_max: number | null
  tenant_bytes: number
  tenant_count: number
}>(
  'blob_usage',
  `select coalesce(u.blob_bytes, 0)::bigint as bytes, coalesce(u.blob_count, 0)::bigint as count,
     u.blob_bytes_max as bytes_max, t.bytes as tenant_bytes, t.count as tenant_count
   from account a left join account_usage u on u.account_id = a.id
   cross join lateral (
     select coalesce(sum(blob_bytes), 0)::bigint as bytes, coalesce(sum(blob_count), 0)::bigint as count
     from tenant_usage where tenant_id = a.tenant_id
   ) t where a.id = $1`,
)

/** Returns what an account and its tenant have; undefined if there is no such account. */
export async function findBlobUsage(db: Queryable, accountId: number): Promise<AccountBlobUsage | undefined> {
  const { rows } = await findUsage(db, [accountId])
  const row = rows[0]
  if (row === undefined) return undefined
  const { bytes, count, bytes_max, tenant_bytes, tenant_count } = row
  return { bytes, count, bytesMax: bytes_max, tenant: { bytes: tenant_bytes, count: tenant_count } }
}

/** Returns what all accounts of a tenant have together. */
export async function getTenantBlobUsage(db: Queryable, tenantId: number): Promise<BlobUsage> {
  const { rows } = await db.query<BlobUsage>(
    `select coalesce(sum(blob_bytes), 0)::bigint as bytes, coalesce(sum(blob_count), 0)::bigint as count
     from tenant_usage where tenant_id = $1`,
    [tenantId],
  )
  return rows[0] ?? { bytes: 0, count: 0 }
}

/** Returns how many bytes of blobs each tenant's accounts have, by slug. */
export async function listTenantBlobBytes(db: Queryable): Promise<Map<string, number>> {
  const { rows } = await db.query<{ slug: string; bytes: number }>(
    `select t.slug, coalesce(sum(u.blob_bytes), 0)::bigint as bytes
     from tenant t left join tenant_usage u on u.tenant_id = t.id group by t.id`,
  )
  return new Map(rows.map(({ slug, bytes }) => [slug, bytes]))
}

/**
 * Returns if there is room for so many bytes more. Asks nothing without a quota of the tenant's; the upload itself is
 * counted by `storeBlob`, which decides. A hint that spares transfers: it does not know whether the bytes are there.
 *
 * @throws {BlobQuotaExceededError}
 */
export async function checkBlobQuota(
  db: Queryable,
  upload: { accountId: number; bytes: number },
  quota: BlobQuota,
): Promise<void> {
  if (quota.accountBytesMax === null && quota.tenantBytesMax === null) return
  const usage = await findBlobUsage(db, upload.accountId)
  if (usage === undefined) return
  const accountBytesMax = usage.bytesMax ?? quota.accountBytesMax ?? Infinity
  if (usage.bytes + upload.bytes > accountBytesMax) throw new BlobQuotaExceededError('account')
  if (usage.tenant.bytes + upload.bytes > (quota.tenantBytesMax ?? Infinity)) {
    throw new BlobQuotaExceededError('tenant')
  }
}

/** Gives an account a quota of its own, in bytes; null: it has its tenant's again. */
export async function setAccountBlobQuota(
  db: Queryable,
  accountId: number,
  bytesMax: number | null,
): Promise<void> {
  await db.query(
    `insert into account_usage (account_id, blob_bytes_max) values ($1, $2)
     on conflict (account_id) do update set blob_bytes_max = excluded.blob_bytes_max`,
    [accountId, bytesMax],
  )
}

/** What a count has found. `before` is what the running totals said. */
export type Recount = { before: BlobUsage; after: BlobUsage }

/**
 * Counts an account's blobs anew and sets its totals, and with them its tenant's, to what there is. Uploads and
 * deletions may go on: they wait while it counts, or are seen.
 */
export async function recountAccountUsage(pool: Database['pool'], accountId: number): Promise<Recount> {
  return inTransaction(pool, async (tx) => {
    await tx.query(`insert into account_usage (account_id) values ($1) on conflict (account_id) do nothing`, [
      accountId,
    ])
    const usage = await tx.query<BlobUsage>(
      'select blob_bytes as bytes, blob_count as count from account_usage where account_id = $1 for update',
      [accountId],
    )
    // Read after the lock was taken: a blob that is not seen here waits to be counted.
    const counted = await tx.query<BlobUsage>(
      `update account_usage set blob_bytes = found.bytes, blob_count = found.count from (
         select coalesce(sum(size), 0)::bigint as bytes, count(*) as count from blob
         where account_id = $1 and state <> 'purged'
       ) found where account_id = $1
       returning blob_bytes as bytes, blob_count as count`,
      [accountId],
    )
    const none = { bytes: 0, count: 0 }
    return { before: usage.rows[0] ?? none, after: counted.rows[0] ?? none }
  })
}

/** Sets a tenant's totals to the sums of its accounts' totals. */
export async function recountTenantUsage(pool: Database['pool'], tenantId: number): Promise<Recount> {
  return inTransaction(pool, async (tx) => {
    const before = await getTenantBlobUsage(tx, tenantId)
    await tx.query(
      `insert into tenant_usage (tenant_id, shard) select $1, shard from generate_series(0, 15) as shard
       order by shard on conflict (tenant_id, shard) do update set shard = excluded.shard`,
      [tenantId],
    )
    await tx.query(
      `update tenant_usage t set blob_bytes = found.bytes, blob_count = found.count from (
         select shard, coalesce(sum(u.blob_bytes), 0)::bigint as bytes,
           coalesce(sum(u.blob_count), 0)::bigint as count
         from generate_series(0, 15) as shard
         left join account_usage u on u.tenant_id = $1 and u.account_id % 16 = shard group by shard
       ) found where t.tenant_id = $1 and t.shard = found.shard`,
      [tenantId],
    )
    return { before, after: await getTenantBlobUsage(tx, tenantId) }
  })
}
