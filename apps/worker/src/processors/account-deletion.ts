import { deleteAccount, findAccountById } from '@rookery/accounts'
import { deleteExportObjects } from '@rookery/archives'
import type { BlobStore } from '@rookery/blobs'
import type { Database, Queryable } from '@rookery/db'
import type { JobProcessor } from '@rookery/jobs'
import { deleteAccountBlobs, deleteRepoContent } from '@rookery/records'

/** What the deletion of accounts works with. */
export type AccountDeletionDeps = { db: Database; store: BlobStore }

/**
 * Deletes an account whose time has come, and then, as for one that its owner deleted, what it leaves.
 *
 * First the account itself, in one transaction: from then on nothing of it is served, and nothing can be added. Then
 * records and tree, then objects and blob rows, in batches, and the objects of its archives. Each step finds done what an earlier attempt did. An
 * account that was activated meanwhile is left alone.
 */
export function accountDeletion(deps: AccountDeletionDeps): JobProcessor<'account-deletion'> {
  const { db, store } = deps
  return async ({ payload, signal, log }) => {
    const { hostId, accountId, did } = payload
    if (await isAlive(db, accountId)) return
    await deleteRepoContent(db.pool, accountId, signal)
    signal.throwIfAborted()
    await deleteAccountBlobs({ store, pool: db.pool }, { hostId, accountId })
    await deleteExportObjects(store, { hostId, accountId })
    log.info({ account: did }, 'account deleted with all its content')
  }
}

/** Deletes the account if it is due; tells whether one is left. */
async function isAlive(db: Database, accountId: number): Promise<boolean> {
  if ((await findAccountById(db.pool, accountId)) === undefined) return false
  try {
    // The job that runs is the one that erases the content: no other is needed.
    const scheduleErasure = (): Promise<void> => Promise.resolve()
    await deleteAccount({ db, scheduleErasure }, accountId, (tx) => assertDue(tx, accountId))
    return false
  } catch (error) {
    if (error instanceof NotDueError) return true
    throw error
  }
}

/** Under the account's lock: it may have been activated since it was listed. */
async function assertDue(tx: Queryable, accountId: number): Promise<void> {
  const account = await findAccountById(tx, accountId)
  const deleteAfter = account?.delete_after
  if (deleteAfter === undefined || deleteAfter === null || deleteAfter > new Date()) throw new NotDueError()
}

class NotDueError extends Error {
  override readonly name = 'NotDueError'
}
