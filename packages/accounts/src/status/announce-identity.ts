import { type Database, inTransaction } from '@rookery/db'

import { appendIdentityEvent } from '../account-events.ts'
import type { Account } from '../account.ts'
import { lockRepo } from './status-queries.ts'

/** Tells the network that the account's DID document has changed, once it has. */
export async function announceIdentity(
  deps: { db: Pick<Database, 'pool'> },
  account: Account,
): Promise<void> {
  await inTransaction(deps.db.pool, async (tx) => {
    await lockRepo(tx, account.id)
    await appendIdentityEvent(tx, account)
  })
}
