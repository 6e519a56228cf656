import { type Queryable, statement } from '@rookery/db'

/** A blob that the collector has given up. */
export type DoomedBlob = { account_id: number; cid: Buffer; object_key: string }

// Rows that a commit or an upload holds are left for the next time. What another collector gave up and did not
// finish is taken along: every step may be done twice.
const claim = statement<DoomedBlob>(
  'blob_claim',
  `with due as (
     select account_id, cid from blob
     where unreferenced_at is not null and ref_count = 0 and takedown_ref is null
       and (state = 'deleting'
         or (state = 'temporary' and unreferenced_at < now() - $1 * interval '1 millisecond')
         or (state = 'permanent' and unreferenced_at < now() - $2 * interval '1 millisecond'))
       and not exists (
         select from blob_ref as ref where ref.account_id = blob.account_id and ref.cid = blob.cid
       )
     order by unreferenced_at limit $3
     for update skip locked
   )
   update blob set state = 'deleting' from due
   where blob.account_id = due.account_id and blob.cid = due.cid
   returning blob.account_id, blob.cid, blob.object_key`,
)

// A row that an upload has revived meanwhile has another object and stays; one that is purged stays to refuse it.
const remove = statement<{ removed: number }>(
  'blob_remove',
  `with gone as (
     delete from blob
     using unnest($2::bytea[], $3::text[]) as doomed (cid, object_key)
     where blob.account_id = $1 and blob.cid = doomed.cid
       and blob.object_key = doomed.object_key and blob.state = 'deleting' and blob.takedown_ref is null
     returning blob.size
   ), totals as (
     select coalesce(sum(size), 0) as bytes, count(*) as blobs from gone
   ), counted as (
     update account_usage
     set blob_bytes = blob_bytes - totals.bytes, blob_count = blob_count - totals.blobs
     from totals where account_id = $1 and totals.blobs > 0
   )
   select blobs::integer as removed from totals`,
)

const findKeys = statement<{ object_key: string }>(
  'blob_find_keys',
  'select object_key from blob where account_id = any($1::bigint[]) and object_key = any($2::text[])',
)

const findAccount = statement<{ id: number }>('blob_find_account', 'select id from account where id = $1')

const removeRefs = statement(
  'blob_remove_refs',
  `delete from blob_ref where account_id = $1 and (collection, rkey, cid) in (
     select collection, rkey, cid from blob_ref where account_id = $1 limit $2
   )`,
)

const removeRows = statement(
  'blob_remove_rows',
  'delete from blob where account_id = $1 and cid in (select cid from blob where account_id = $1 limit $2)',
)

const removeUsage = statement('blob_remove_usage', 'delete from account_usage where account_id = $1')

/** Gives up blobs that nothing refers to and whose time is over, oldest first: from now on they cannot be referred to. */
export async function claimUnreferenced(
  db: Queryable,
  options: { temporaryAgeMs: number; unreferencedAgeMs: number; limit: number },
): Promise<DoomedBlob[]> {
  const { rows } = await claim(db, [options.temporaryAgeMs, options.unreferencedAgeMs, options.limit])
  return rows
}

/** Removes the rows of blobs of one account that were given up, with their share of its usage; returns how many. */
export async function removeDoomed(
  db: Queryable,
  accountId: number,
  blobs: readonly DoomedBlob[],
): Promise<number> {
  const cids = blobs.map((blob) => blob.cid)
  const keys = blobs.map((blob) => blob.object_key)
  const { rows } = await remove(db, [accountId, cids, keys])
  return rows[0]?.removed ?? 0
}

/** Returns those of the keys that a blob of one of the accounts has. */
export async function findKnownKeys(
  db: Queryable,
  accountIds: readonly number[],
  keys: readonly string[],
): Promise<Set<string>> {
  const { rows } = await findKeys(db, [accountIds, keys])
  return new Set(rows.map((row) => row.object_key))
}

/** Tells whether the account exists. */
export async function hasAccount(db: Queryable, accountId: number): Promise<boolean> {
  const { rows } = await findAccount(db, [accountId])
  return rows.length > 0
}

/** Removes up to `limit` of each kind of an account's blob rows, and returns how many went. */
export async function removeAccountRows(db: Queryable, accountId: number, limit: number): Promise<number> {
  const refs = await removeRefs(db, [accountId, limit])
  const blobs = await removeRows(db, [accountId, limit])
  const usage = await removeUsage(db, [accountId])
  return (refs.rowCount ?? 0) + (blobs.rowCount ?? 0) + (usage.rowCount ?? 0)
}
