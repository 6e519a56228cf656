import { type BlobObject, type BlobStore, type ByteRange, BlobObjectNotFoundError } from '@rookery/blobs'
import type { Queryable } from '@rookery/db'
import type { Cid } from '@rookery/syntax'

import { findBlobRow } from './blob-queries.ts'
import { BlobNotFoundError } from './errors.ts'

/** A blob that may be served. */
export type ServableBlob = { cid: Cid; mimeType: string; size: number; objectKey: string }

/**
 * Returns an account's blob if the public may have it: some record refers to it, and it is not taken down. Whether
 * the account may be served is the caller's to check.
 *
 * @throws {BlobNotFoundError}
 */
export async function getServableBlob(db: Queryable, accountId: number, cid: Cid): Promise<ServableBlob> {
  const row = await findBlobRow(db, accountId, cid)
  if (row?.state !== 'permanent' || row.takedown_ref !== null) throw new BlobNotFoundError(cid)
  return { cid, mimeType: row.mime_type, size: row.size, objectKey: row.object_key }
}

/**
 * Opens the bytes of a blob, or a range of them; the caller reads the body to its end or destroys it.
 *
 * @throws {BlobNotFoundError} if the object is gone, as when it is deleted at this moment.
 * @throws {BlobStoreUnavailableError}
 */
export async function openBlob(store: BlobStore, blob: ServableBlob, range?: ByteRange): Promise<BlobObject> {
  try {
    return await store.get(blob.objectKey, range)
  } catch (error) {
    if (error instanceof BlobObjectNotFoundError) throw new BlobNotFoundError(blob.cid, { cause: error })
    throw error
  }
}
