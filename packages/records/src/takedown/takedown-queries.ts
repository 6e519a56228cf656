import type { Queryable } from '@rookery/db'
import type { Cid, Nsid, RecordKey } from '@rookery/syntax'

/** A record of an account, by its path. */
export type RecordPath = { accountId: number; collection: Nsid; rkey: RecordKey }

/** A blob of an account. */
export type BlobOwner = { accountId: number; cid: Cid }

/** How a record or blob stands; `takedown_ref` is null unless it is taken down. */
export type TakedownRow = { cid: Buffer; takedown_ref: string | null }

/** Returns how a record stands, or undefined if there is none. */
export async function findRecordTakedown(db: Queryable, path: RecordPath): Promise<TakedownRow | undefined> {
  const { rows } = await db.query<TakedownRow>(
    'select cid, takedown_ref from record where account_id = $1 and collection = $2 and rkey = $3',
    [path.accountId, path.collection, path.rkey],
  )
  return rows[0]
}

/**
 * Takes a record down, or lifts that, and returns how it stands then; undefined if there is none. Methods that read
 * records hide it; in the repo it stays, for only a commit could remove it (SPEC LAB-5). An update does not bring it
 * back.
 *
 * @param ref reference of the takedown; null lifts it.
 */
export async function setRecordTakedown(
  db: Queryable,
  path: RecordPath,
  ref: string | null,
): Promise<TakedownRow | undefined> {
  const { rows } = await db.query<TakedownRow>(
    `update record set takedown_ref = $4 where account_id = $1 and collection = $2 and rkey = $3
     returning cid, takedown_ref`,
    [path.accountId, path.collection, path.rkey, ref],
  )
  return rows[0]
}

// A blob that the collector has given up is gone for everybody but the collector.
const isThere = `account_id = $1 and cid = $2 and (state <> 'deleting' or takedown_ref is not null)`

/** Returns how a blob stands, or undefined if there is none. */
export async function findBlobTakedown(db: Queryable, blob: BlobOwner): Promise<TakedownRow | undefined> {
  const { rows } = await db.query<TakedownRow>(`select cid, takedown_ref from blob where ${isThere}`, [
    blob.accountId,
    blob.cid,
  ])
  return rows[0]
}

/**
 * Takes a blob down, or lifts that, and returns how it stands then; undefined if there is none. While it is taken down
 * it is not served or listed, no record can begin to refer to it and nobody can upload it (SPEC LAB-6); its object
 * stays. One that nothing refers to starts its age anew when that is lifted.
 *
 * @param ref reference of the takedown; null lifts it.
 */
export async function setBlobTakedown(
  db: Queryable,
  blob: BlobOwner,
  ref: string | null,
): Promise<TakedownRow | undefined> {
  const { rows } = await db.query<TakedownRow>(
    `update blob set takedown_ref = $3,
       unreferenced_at = case when unreferenced_at is not null then now() end
     where ${isThere} returning cid, takedown_ref`,
    [blob.accountId, blob.cid, ref],
  )
  return rows[0]
}
