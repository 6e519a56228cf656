import { type BlobSubject } from './takedown-queries.ts'
import { findDoomedObject, finishPurge } from './purge-queries.ts'
import type { BlobDeps } from './upload-blob.ts'

/**
 * Deletes the object of a blob whose purge was begun; one that was finished, or is of an account that is gone, is left
 * as it is. Run again after it was cut short, it goes on.
 *
 * @throws {BlobStoreUnavailableError}
 */
export async function eraseBlob(deps: BlobDeps, subject: BlobSubject): Promise<void> {
  const objectKey = await findDoomedObject(deps.pool, subject)
  if (objectKey === undefined) return
  await deps.store.delete(objectKey)
  await finishPurge(deps.pool, subject)
}
