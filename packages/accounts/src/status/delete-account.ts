import { type Database, type Queryable, inTransaction } from '@rookery/db'
import { businessEvent } from '@rookery/telemetry'

import { appendAccountEvent } from '../account-events.ts'
import { lockAccount } from '../account-queries.ts'
import type { Account } from '../account.ts'
import { AccountNotFoundError } from '../errors.ts'
import { forgetInvitesOf } from '../invites/invite-queries.ts'
import { deleteAccountRows, lockRepo } from './status-queries.ts'

export type DeleteAccountDeps = {
  db: Pick<Database, 'pool'>
  /** Writes the job that removes records, tree and blobs to the outbox. */
  scheduleErasure: (tx: Queryable, account: Account) => Promise<void>
}

/**
 * Deletes an account. One transaction ends its login, its key and its repo, leaves a tombstone, appends the event and
 * schedules the rest: from its commit on nothing of the account is served, by any pod.
 *
 * @param before runs first in the same transaction, such as using up the token that allowed it.
 * @throws {AccountNotFoundError} if the account is gone.
 */
export async function deleteAccount(
  deps: DeleteAccountDeps,
  accountId: number,
  before?: (tx: Queryable) => Promise<void>,
): Promise<void> {
  const deleted = await inTransaction(deps.db.pool, async (tx) => {
    const repo = await lockRepo(tx, accountId)
    const account = await lockAccount(tx, accountId)
    if (account === undefined) throw new AccountNotFoundError('Account not found')
    await before?.(tx)
    await appendAccountEvent(tx, account, 'deleted')
    await deps.scheduleErasure(tx, account)
    await forgetInvitesOf(tx, account.host_id, account.did)
    await deleteAccountRows(tx, account, repo?.rev)
    return account
  })
  businessEvent('accountDeleted', { tenant: deleted.tenant_id, account: deleted.did })
}
