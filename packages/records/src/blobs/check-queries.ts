import type { Queryable } from '@rookery/db'
import type { Cid } from '@rookery/syntax'

import type { BlobUsage } from './usage-queries.ts'

/** A blob whose bytes should be in the store. */
export type KeptBlob = { cid: Cid; object_key: string }

const isKept = `state in ('temporary', 'permanent', 'quarantined')`

/** Returns the account's blobs whose bytes should be in the store. */
export async function listKeptBlobs(db: Queryable, accountId: number): Promise<KeptBlob[]> {
  const { rows } = await db.query<KeptBlob>(
    `select cid, object_key from blob where account_id = $1 and ${isKept}`,
    [accountId],
  )
  return rows
}

/** Tells whether a blob is still kept under the object. */
export async function isKeptBlob(db: Queryable, accountId: number, blob: KeptBlob): Promise<boolean> {
  const { rows } = await db.query(
    `select from blob where account_id = $1 and cid = $2 and object_key = $3 and ${isKept}`,
    [accountId, blob.cid, blob.object_key],
  )
  return rows.length > 0
}

/** Returns the account's blobs whose count of references is not that of the rows that refer to them. */
export async function listMiscounted(db: Queryable, accountId: number): Promise<Cid[]> {
  const { rows } = await db.query<{ cid: Cid }>(
    `select b.cid from blob b
      where b.account_id = $1 and b.ref_count <>
        (select count(*) from blob_ref r where r.account_id = b.account_id and r.cid = b.cid)`,
    [accountId],
  )
  return rows.map(({ cid }) => cid)
}

/** Returns what the account's running totals say and what its rows come to, as of one instant. */
export async function compareUsage(
  db: Queryable,
  accountId: number,
): Promise<{ kept: BlobUsage; counted: BlobUsage }> {
  const { rows } = await db.query<{ bytes: number; count: number; own_bytes: number; own_count: number }>(
    `select coalesce(u.blob_bytes, 0)::bigint as bytes, coalesce(u.blob_count, 0)::bigint as count,
       b.bytes as own_bytes, b.count as own_count
     from (select coalesce(sum(size), 0)::bigint as bytes, count(*) as count
             from blob where account_id = $1 and state <> 'purged') b
     left join account_usage u on u.account_id = $1`,
    [accountId],
  )
  const { bytes = 0, count = 0, own_bytes = 0, own_count = 0 } = rows[0] ?? {}
  return { kept: { bytes, count }, counted: { bytes: own_bytes, count: own_count } }
}
