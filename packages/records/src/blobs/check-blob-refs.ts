import type { Queryable } from '@rookery/db'
import { type Cid, cidToString } from '@rookery/syntax'

import { findBlobRows } from './blob-queries.ts'
import { BlobMimeTypeError, BlobNotFoundError, BlobSizeError } from './errors.ts'

/** A reference to a blob as a record that is to be written states it. */
export type BlobRefClaim = { cid: Cid; mimeType: string; size: number }

/**
 * Returns if an account's records may refer to the blobs as they state: each is there, temporary or permanent, not
 * taken down, and of the stated type and size. Asks nothing when there are no references.
 *
 * Between this and the commit a blob can only go away; the commit itself must see that each one is still there when
 * it counts the reference.
 *
 * @throws {BlobNotFoundError}
 * @throws {BlobMimeTypeError}
 * @throws {BlobSizeError}
 */
export async function checkBlobRefs(
  db: Queryable,
  accountId: number,
  refs: readonly BlobRefClaim[],
): Promise<void> {
  if (refs.length === 0) return
  const rows = await findBlobRows(
    db,
    accountId,
    refs.map((ref) => ref.cid),
  )
  const rowsByCid = new Map(rows.map((row) => [row.cid.toString('hex'), row]))
  for (const ref of refs) {
    const row = rowsByCid.get(Buffer.from(ref.cid).toString('hex'))
    if (!row || row.takedown_ref !== null || !['temporary', 'permanent'].includes(row.state)) {
      throw new BlobNotFoundError(ref.cid)
    }
    const name = cidToString(ref.cid)
    if (row.mime_type !== ref.mimeType) {
      throw new BlobMimeTypeError(`Blob ${name} has type ${row.mime_type}, not ${ref.mimeType}`)
    }
    if (row.size !== ref.size) {
      throw new BlobSizeError(`Blob ${name} has ${row.size} bytes, not ${ref.size}`)
    }
  }
}
