import { findAccountById, listAccountsToDelete } from '@rookery/accounts'
import { type Schedule, addJob } from '@rookery/jobs'

import { accountDeletionEveryMs, accountDeletionsMax } from '../limits.ts'

/** Adds a job for every account whose time to be deleted has come. */
export function accountDeletions(): Schedule {
  return {
    name: 'account-deletions',
    everyMs: accountDeletionEveryMs,
    run: async (tx) => {
      for (const accountId of await listAccountsToDelete(tx, accountDeletionsMax)) {
        const account = await findAccountById(tx, accountId)
        if (account === undefined) continue
        const payload = {
          hostId: account.host_id,
          tenantId: account.tenant_id,
          accountId,
          did: account.did,
        }
        await addJob(tx, { queue: 'account-deletion', payload, dedupeKey: String(accountId) })
      }
    },
  }
}
