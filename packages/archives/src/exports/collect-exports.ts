import { type BlobStore, deleteManyKeysMax, exportPrefix, listEntriesMax } from '@rookery/blobs'
import type { Database } from '@rookery/db'

import { expiredExportsMax, orphanExportAgeMs } from '../limits.ts'
import { deleteExportRow, findExportKeys, listExpiredExports } from './export-queries.ts'

type Deps = { db: Pick<Database, 'pool'>; store: BlobStore }

/**
 * Deletes exports whose time is over, a batch of them: the objects first, then the rows. May be repeated.
 *
 * @returns how many went, and whether that was all that is due.
 * @throws {BlobStoreUnavailableError}
 */
export async function collectExpiredExports({
  db,
  store,
}: Deps): Promise<{ deleted: number; isDone: boolean }> {
  const expired = await listExpiredExports(db.pool, expiredExportsMax)
  await store.deleteMany(expired.flatMap(({ objectKey }) => (objectKey === null ? [] : [objectKey])))
  for (const one of expired) await deleteExportRow(db.pool, one)
  return { deleted: expired.length, isDone: expired.length < expiredExportsMax }
}

/**
 * Deletes the old objects of a host's exports that no row knows: what a crash left.
 *
 * @param options.now default: the present.
 * @returns how many went.
 * @throws {BlobStoreUnavailableError}
 */
export async function collectOrphanExports(
  { db, store }: Deps,
  hostId: number,
  options: { now?: Date } = {},
): Promise<number> {
  const before = new Date((options.now ?? new Date()).getTime() - orphanExportAgeMs)
  let deleted = 0
  for (let after: string | undefined, isDone = false; !isDone;) {
    const page = await store.list({ prefix: exportPrefix({ hostId }), after, limit: listEntriesMax })
    const old = page.filter(({ modifiedAt }) => modifiedAt < before).map(({ key }) => key)
    const known = await findExportKeys(db.pool, hostId, old)
    const orphans = old.filter((key) => !known.has(key))
    await store.deleteMany(orphans)
    deleted += orphans.length
    after = page.at(-1)?.key
    isDone = after === undefined
  }
  return deleted
}

/**
 * Deletes every object of an account's exports: for an account that is gone.
 *
 * @throws {BlobStoreUnavailableError} Run again, it goes on where it stopped.
 */
export async function deleteExportObjects(
  store: BlobStore,
  of: { hostId: number; accountId: number },
): Promise<void> {
  for (let after: string | undefined, isDone = false; !isDone;) {
    const page = await store.list({ prefix: exportPrefix(of), after, limit: deleteManyKeysMax })
    await store.deleteMany(page.map(({ key }) => key))
    after = page.at(-1)?.key
    isDone = after === undefined
  }
}
