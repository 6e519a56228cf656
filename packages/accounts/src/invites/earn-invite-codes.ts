import { type Database, type Queryable, inTransaction } from '@rookery/db'

import { lockAccount } from '../account-queries.ts'
import type { Account } from '../account.ts'
import { createInviteCodes } from './create-invite-codes.ts'
import { type InviteAccrual, codesToMake } from './earned-codes.ts'
import { countEarned } from './invite-queries.ts'

/**
 * Makes the codes that the account has earned and not made yet, each good for one sign-up. However many ask at the same
 * time, each is made once: the account is locked while they are counted. Those of an account that may not invite are
 * made disabled, so that it does not earn them later.
 */
export async function earnInviteCodes(
  { db }: { db: Pick<Database, 'pool'> },
  account: Account,
  options: { hostname: string; accrual: InviteAccrual },
): Promise<void> {
  const { accrual, hostname } = options
  const { id, host_id: hostId, tenant_id: tenantId, did, created_at } = account
  const life = { createdAtMs: created_at.getTime(), nowMs: Date.now() }
  const earned = (tx: Queryable) => countEarned(tx, { hostId, did, epochMs: accrual.epochMs })
  // Most who look have earned nothing since they last did.
  if (codesToMake(accrual, life, await earned(db.pool)) === 0) return
  await inTransaction(db.pool, async (tx) => {
    const locked = await lockAccount(tx, id)
    if (locked === undefined) return
    const codesPerAccount = codesToMake(accrual, life, await earned(tx))
    const made = {
      uses: 1,
      codesPerAccount,
      forAccounts: [did],
      createdBy: did,
      disabled: locked.invites_disabled,
    }
    await createInviteCodes(tx, { hostId, tenantId, hostname, ...made })
  })
}
