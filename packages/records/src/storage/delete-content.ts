import type { Database } from '@rookery/db'
import { assert } from '@rookery/std'

import { deletionBatchRows } from '../limits.ts'
import { deletePacks, deleteRecords } from './deletion-queries.ts'
import { findHead } from './storage-queries.ts'

/**
 * Deletes the records and the tree of an account whose repo is gone already, in transactions of bounded size. Blobs
 * and their references are `deleteAccountBlobs`'s. Safe to run again after it was cut short.
 *
 * @param signal ends it between two transactions.
 */
export async function deleteRepoContent(
  pool: Database['pool'],
  accountId: number,
  signal?: AbortSignal,
): Promise<void> {
  assert((await findHead(pool, accountId)) === undefined, 'the content of a repo goes after the repo itself')
  for (const deleteSome of [deleteRecords, deletePacks]) {
    let deleted: number
    do {
      signal?.throwIfAborted()
      deleted = await deleteSome(pool, accountId, deletionBatchRows)
    } while (deleted === deletionBatchRows)
  }
}
