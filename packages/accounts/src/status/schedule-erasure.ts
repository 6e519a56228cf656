import type { Queryable } from '@rookery/db'
import { addJob } from '@rookery/jobs'

import type { Account } from '../account.ts'

/** Writes the job that removes records, tree and blobs of a deleted account to the outbox; again changes nothing. */
export async function scheduleErasure(tx: Queryable, account: Account): Promise<void> {
  await addJob(tx, {
    queue: 'account-deletion',
    payload: {
      hostId: account.host_id,
      tenantId: account.tenant_id,
      accountId: account.id,
      did: account.did,
    },
    dedupeKey: String(account.id),
  })
}
