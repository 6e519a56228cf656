import { type Account, type SecretWrapper, appendAuditEntry } from '@rookery/accounts'
import { type Database, inTransaction } from '@rookery/db'
import { addJob } from '@rookery/jobs'

import { moveLifeMs } from './limits.ts'
import { upsertMove } from './move-queries.ts'
import { sealSession } from './old-account.ts'
import type { OldSession } from './old-server.ts'

/**
 * Has a worker fetch what the account has at its old server: once, or once more with another session. Wake the workers
 * afterwards.
 */
export async function beginMove(
  { db, wrapper }: { db: Pick<Database, 'pool'>; wrapper: SecretWrapper },
  account: Account,
  session: OldSession,
): Promise<void> {
  const { id: accountId, host_id: hostId, tenant_id: tenantId, did } = account
  const wrapped = sealSession(wrapper, account, session)
  await inTransaction(db.pool, async (tx) => {
    await upsertMove(tx, { accountId, hostId, pdsUrl: session.pdsUrl, wrapped, lifeMs: moveLifeMs })
    const payload = { hostId, tenantId, accountId }
    await addJob(tx, { queue: 'account-move', payload, dedupeKey: String(accountId) })
    const detail = { from: session.pdsUrl }
    await appendAuditEntry(tx, { hostId, tenantId, did, actor: did, action: 'account.move.begin', detail })
  })
}
