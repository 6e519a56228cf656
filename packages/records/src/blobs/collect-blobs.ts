/**
 * Deletes the bytes that nobody needs any more. Three kinds, each in bounded steps that may be repeated, interrupted
 * anywhere, and run beside each other, uploads and commits:
 *
 * - `collectBlobs`: blobs without references. First the row becomes `deleting`, under its lock and only if it still
 *   has no reference; from then on a commit does not find it and an upload of the same bytes replaces it. Then the
 *   object goes, then the row. A crash in between leaves a `deleting` row, which the next step finishes.
 * - `collectOrphanObjects`: objects without a row, which a crash between storing and recording leaves.
 * - `deleteAccountBlobs`: everything of an account that was deleted.
 */
import { deleteManyKeysMax, listEntriesMax, tryParseBlobKey } from '@rookery/blobs'
import { assert } from '@rookery/std'

import {
  type DoomedBlob,
  claimUnreferenced,
  findKnownKeys,
  hasAccount,
  removeAccountRows,
  removeDoomed,
} from './collect-queries.ts'
import {
  collectRowsMax,
  orphanAgeMs,
  orphanAgeMsMin,
  temporaryAgeMs,
  temporaryAgeMsMin,
  unreferencedAgeMs,
} from './limits.ts'
import type { BlobDeps } from './upload-blob.ts'

/** When blobs are old enough to go. */
export type CollectBlobsOptions = {
  /** Age of an upload that no record refers to, in milliseconds: at least an hour. Default 6 hours. */
  temporaryAgeMs?: number
  /** Time since the last reference went, in milliseconds. Default 1 hour. */
  unreferencedAgeMs?: number
}

/**
 * Deletes one batch of blobs that nothing refers to.
 *
 * @returns how many went, and whether that was all that is due.
 * @throws {BlobStoreUnavailableError}
 */
export async function collectBlobs(
  deps: BlobDeps,
  options: CollectBlobsOptions = {},
): Promise<{ deleted: number; isDone: boolean }> {
  const ages = { temporaryAgeMs, unreferencedAgeMs, ...options }
  assert(ages.temporaryAgeMs >= temporaryAgeMsMin, 'an upload is kept for an hour at least')
  const doomed = await claimUnreferenced(deps.pool, { ...ages, limit: collectRowsMax })
  await deps.store.deleteMany(doomed.map((blob) => blob.object_key))
  let deleted = 0
  // Account by account: a statement that held two usage rows could deadlock with another collector's.
  for (const [accountId, blobs] of byAccount(doomed)) {
    deleted += await removeDoomed(deps.pool, accountId, blobs)
  }
  return { deleted, isDone: doomed.length < collectRowsMax }
}

/** A step of the search for objects without a row. */
export type CollectOrphansOptions = {
  /** Where the last step stopped; undefined to begin. */
  cursor?: string | undefined
  /** Age of an object, in milliseconds: at least two hours. Default 24 hours. */
  orphanAgeMs?: number
  /** Default: the present. */
  now?: Date
}

/**
 * Looks at one page of objects and deletes those that are old and have no row.
 *
 * @returns how many went, and the cursor of the next step; undefined at the end.
 * @throws {BlobStoreUnavailableError}
 */
export async function collectOrphanObjects(
  deps: BlobDeps,
  options: CollectOrphansOptions = {},
): Promise<{ deleted: number; cursor: string | undefined }> {
  const ageMs = options.orphanAgeMs ?? orphanAgeMs
  assert(ageMs >= orphanAgeMsMin, 'an object has no row until its upload ends')
  const before = new Date((options.now ?? new Date()).getTime() - ageMs)
  if (options.cursor === undefined) await deps.store.removeUnfinished(before)
  const page = await deps.store.list({ prefix: '', after: options.cursor, limit: listEntriesMax })
  // Objects that are not of our making stay.
  const old = page.filter((object) => object.modifiedAt < before && tryParseBlobKey(object.key))
  const keys = old.map((object) => object.key)
  const accountIds = new Set(keys.map((key) => tryParseBlobKey(key)?.accountId ?? 0))
  const known = await findKnownKeys(deps.pool, [...accountIds], keys)
  const orphans = keys.filter((key) => !known.has(key))
  await deps.store.deleteMany(orphans)
  return { deleted: orphans.length, cursor: page.at(-1)?.key }
}

/**
 * Deletes all objects and blob rows of an account. The account's own row must be gone: it is what keeps an upload
 * from adding another.
 *
 * @throws {BlobStoreUnavailableError} Run again, it goes on where it stopped.
 */
export async function deleteAccountBlobs(
  deps: BlobDeps,
  { hostId, accountId }: { hostId: number; accountId: number },
): Promise<void> {
  assert(!(await hasAccount(deps.pool, accountId)), 'blobs of an account go after the account itself')
  const prefix = `${hostId}/${accountId}/`
  for (let after: string | undefined, isDone = false; !isDone;) {
    const page = await deps.store.list({ prefix, after, limit: deleteManyKeysMax })
    await deps.store.deleteMany(page.map((object) => object.key).filter(tryParseBlobKey))
    after = page.at(-1)?.key
    isDone = after === undefined
  }
  let removed: number
  do {
    removed = await removeAccountRows(deps.pool, accountId, collectRowsMax)
  } while (removed > 0)
}

function byAccount(blobs: readonly DoomedBlob[]): Map<number, DoomedBlob[]> {
  return Map.groupBy(blobs, (blob) => blob.account_id)
}
