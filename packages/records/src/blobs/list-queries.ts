import { type Queryable, statement } from '@rookery/db'
import { assert } from '@rookery/std'
import type { Cid } from '@rookery/syntax'

import { listBlobsMax } from './limits.ts'

/** A page of an account's blobs. */
export type BlobPage = {
  /** Only blobs after this one. */
  cursor?: Cid | undefined
  /** 1 to `listBlobsMax`. */
  limit: number
}

/** A blob that a record refers to and nobody has uploaded. */
export type MissingBlob = { cid: Cid; collection: string; rkey: string }

const listPermanent = statement<{ cid: Buffer }>(
  'blob_list',
  `select distinct ref.cid from blob_ref as ref
   where ref.account_id = $1 and ref.cid > $2 and ref.rev > $3 and exists (
     select from blob where blob.account_id = $1 and blob.cid = ref.cid
       and blob.state = 'permanent' and blob.takedown_ref is null
   )
   order by ref.cid limit $4`,
)

const listMissing = statement<{ cid: Buffer; collection: string; rkey: string }>(
  'blob_list_missing',
  `select distinct on (ref.cid) ref.cid, ref.collection, ref.rkey from blob_ref as ref
   where ref.account_id = $1 and ref.cid > $2 and not exists (
     select from blob where blob.account_id = $1 and blob.cid = ref.cid
       and (blob.state <> 'deleting' or blob.takedown_ref is not null)
   )
   order by ref.cid, ref.collection, ref.rkey limit $3`,
)

/**
 * Returns the blobs that the account's records refer to and that may be served, in the order of their CIDs.
 *
 * @param page.since only those that a commit above this rev began to refer to.
 */
export async function listBlobs(
  db: Queryable,
  accountId: number,
  page: BlobPage & { since?: string | undefined },
): Promise<Cid[]> {
  const { rows } = await listPermanent(db, [accountId, start(page), page.since ?? '', page.limit])
  return rows.map((row) => row.cid)
}

/** Returns the blobs that the account's records refer to and that were never uploaded, in the order of their CIDs. */
export async function listMissingBlobs(
  db: Queryable,
  accountId: number,
  page: BlobPage,
): Promise<MissingBlob[]> {
  const { rows } = await listMissing(db, [accountId, start(page), page.limit])
  return rows
}

function start({ cursor, limit }: BlobPage): Uint8Array {
  assert(limit >= 1 && limit <= listBlobsMax, 'the limit was checked before it came here')
  return cursor ?? Buffer.alloc(0)
}
