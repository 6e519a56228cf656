import type { Queryable } from '@rookery/db'
import type { Nsid, RecordKey } from '@rookery/syntax'

/** A record of an account, by its path. */
export type RecordPath = { accountId: number; collection: Nsid; rkey: RecordKey }

/** How a record stands; `takedown_ref` is null unless it is taken down. */
type TakedownRow = { cid: Buffer; takedown_ref: string | null }

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
