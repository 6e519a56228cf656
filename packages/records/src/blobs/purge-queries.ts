import { type Database, type Queryable, inTransaction, statement } from '@rookery/db'
import { addJob } from '@rookery/jobs'
import { cidToString } from '@rookery/syntax'

import { BlobNotFoundError } from './errors.ts'
import { type BlobSubject, findBlobTakedown } from './takedown-queries.ts'

// Also what the collector has given up: from here on it leaves the row alone.
const doom = statement(
  'blob_purge',
  `update blob set state = 'deleting', takedown_ref = coalesce(takedown_ref, $3)
   where account_id = $1 and cid = $2 and state <> 'purged'`,
)

const finish = statement(
  'blob_purge_finish',
  `with purged as (
     update blob set state = 'purged'
     where account_id = $1 and cid = $2 and state = 'deleting' and takedown_ref is not null
     returning size
   )
   update account_usage set blob_bytes = blob_bytes - purged.size, blob_count = blob_count - 1
   from purged where account_id = $1`,
)

const findObject = statement<{ object_key: string }>(
  'blob_purge_object',
  `select object_key from blob
   where account_id = $1 and cid = $2 and state = 'deleting' and takedown_ref is not null`,
)

/** A blob that is to be purged, and why. */
export type BlobPurge = BlobSubject & { hostId: number; tenantId: number; ref: string }

/**
 * Deletes a blob's bytes for good: at once for everybody, its object by a job. The row stays and refuses the same
 * bytes when the account uploads them again. Again changes nothing.
 *
 * @throws {BlobNotFoundError} if the account has no such blob.
 */
export async function purgeBlob(pool: Database['pool'], purge: BlobPurge): Promise<void> {
  const { hostId, tenantId, accountId, cid, ref } = purge
  await inTransaction(pool, async (tx) => {
    const { rowCount } = await doom(tx, [accountId, cid, ref])
    if (rowCount === 0) {
      await findBlobTakedown(tx, purge)
      return
    }
    const payload = { hostId, tenantId, accountId, cid: cidToString(cid) }
    await addJob(tx, { queue: 'blob-purge', payload, dedupeKey: `${accountId}/${payload.cid}` })
  })
}

/** Returns the key of the object of a blob whose purge was begun and is not finished, or undefined. */
export async function findDoomedObject(db: Queryable, subject: BlobSubject): Promise<string | undefined> {
  const { rows } = await findObject(db, [subject.accountId, subject.cid])
  return rows[0]?.object_key
}

/** Notes that the object is gone, in the row and in the account's totals. Again changes nothing. */
export async function finishPurge(db: Queryable, subject: BlobSubject): Promise<void> {
  await finish(db, [subject.accountId, subject.cid])
}

/** A blob as a moderator sees it. */
export type BlobView = {
  mime_type: string
  size: number
  state: string
  takedown_ref: string | null
  ref_count: number
  created_at: Date
  /** Some of the records that refer to it, as `collection/rkey`. */
  records: string[]
}

/** Records that a `BlobView` names at most. */
const viewRecordsMax = 20

/**
 * Returns what is known about a blob, in whatever state.
 *
 * @throws {BlobNotFoundError} if the account has no such blob.
 */
export async function getBlobView(db: Queryable, { accountId, cid }: BlobSubject): Promise<BlobView> {
  const { rows } = await db.query<BlobView>(
    `select mime_type, size, state, takedown_ref, ref_count, created_at, array(
       select collection || '/' || rkey from blob_ref ref
       where ref.account_id = $1 and ref.cid = $2 order by 1 limit ${viewRecordsMax}
     ) as records
     from blob where account_id = $1 and cid = $2`,
    [accountId, cid],
  )
  if (rows[0] === undefined) throw new BlobNotFoundError(cid)
  return rows[0]
}
