import { type Queryable, statement } from '@rookery/db'
import type { Cid } from '@rookery/syntax'

import { BlobNotFoundError, BlobPurgedError } from './errors.ts'

/** A blob that a moderator names. */
export type BlobSubject = { accountId: number; cid: Cid }

// What the collector has given up loses its object at any moment: there is nothing left to keep from anybody.
const takeDown = statement(
  'blob_take_down',
  `update blob set state = 'quarantined', takedown_ref = $3
   where account_id = $1 and cid = $2 and state in ('temporary', 'permanent', 'quarantined')`,
)

const restore = statement(
  'blob_restore',
  `update blob set takedown_ref = null, state = case when ref_count > 0 then 'permanent' else 'temporary' end,
     unreferenced_at = case when ref_count = 0 then now() end
   where account_id = $1 and cid = $2 and state = 'quarantined'`,
)

const findTakedown = statement<{ takedown_ref: string | null }>(
  'blob_find_takedown',
  `select takedown_ref from blob
   where account_id = $1 and cid = $2 and (state <> 'deleting' or takedown_ref is not null)`,
)

/**
 * Takes a blob down, or gives the takedown another reference. From then on it is not served, not listed, not referred
 * to by new records and not uploaded again. Its bytes stay where they are, for `restoreBlob`, whatever becomes of the
 * records that refer to it. One that was purged stays so.
 *
 * @throws {BlobNotFoundError} if the account has no such blob.
 */
export async function takeDownBlob(db: Queryable, subject: BlobSubject & { ref: string }): Promise<void> {
  const { rowCount } = await takeDown(db, [subject.accountId, subject.cid, subject.ref])
  if (rowCount === 0) await findBlobTakedown(db, subject)
}

/**
 * Lifts the takedown of a blob: it is permanent again if records refer to it, else as if it was uploaded just now.
 * One that is not taken down stays as it is.
 *
 * @throws {BlobNotFoundError} if the account has no such blob.
 * @throws {BlobPurgedError} if its bytes are gone for good.
 */
export async function restoreBlob(db: Queryable, subject: BlobSubject): Promise<void> {
  const { rowCount } = await restore(db, [subject.accountId, subject.cid])
  if (rowCount === 0 && (await findBlobTakedown(db, subject)) !== undefined) throw new BlobPurgedError()
}

/**
 * Returns what the takedown of a blob refers to, or undefined if it is not taken down.
 *
 * @throws {BlobNotFoundError} if the account has no such blob.
 */
export async function findBlobTakedown(db: Queryable, subject: BlobSubject): Promise<string | undefined> {
  const { rows } = await findTakedown(db, [subject.accountId, subject.cid])
  if (rows[0] === undefined) throw new BlobNotFoundError(subject.cid)
  return rows[0].takedown_ref ?? undefined
}
