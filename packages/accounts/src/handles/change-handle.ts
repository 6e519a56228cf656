import { type Database, inTransaction } from '@rookery/db'
import { businessEvent } from '@rookery/telemetry'

import { appendIdentityEvent } from '../account-events.ts'
import { findAccountByHandle, lockAccount, updateAccountHandle } from '../account-queries.ts'
import type { Account } from '../account.ts'
import { AccountNotFoundError, HandleNotAvailableError } from '../errors.ts'
import { type Claim, deleteClaim, insertClaim } from '../sign-up/claim-queries.ts'
import { toTakenError } from '../sign-up/taken.ts'
import { lockRepo } from '../status/status-queries.ts'

/**
 * Gives the account another handle, or the same one again, which is safe and says so to the network once more.
 *
 * The handle is claimed while `publish` changes the DID document, so nobody signs up with it meanwhile; #identity
 * follows once the document is changed (SPEC IDN-13, IDN-16).
 *
 * @param change.handle checked against the rules of its domain, in lower case.
 * @param change.publish makes the DID document name the handle; safe to repeat.
 * @throws {HandleNotAvailableError} if somebody has the handle, or another change of this account's is under way.
 * @throws {AccountNotFoundError} if the account is gone.
 */
export async function changeHandle(
  deps: { db: Pick<Database, 'pool'> },
  account: Account,
  change: { handle: string; publish: () => Promise<void> },
): Promise<Account> {
  const { pool } = deps.db
  const { handle } = change
  const owner = await findAccountByHandle(pool, account.host_id, handle)
  if (owner !== undefined && owner.id !== account.id) throw taken(handle)
  const claim: Claim = { hostId: account.host_id, did: account.did, handle, email: null, inviteCode: null }
  if (!(await insertClaim(pool, claim))) throw taken(handle)
  try {
    await change.publish()
    const changed = await inTransaction(pool, async (tx) => {
      await lockRepo(tx, account.id)
      const before = await lockAccount(tx, account.id)
      if (before === undefined) throw new AccountNotFoundError('Account not found')
      await updateAccountHandle(tx, account.id, handle)
      const after = { ...before, handle }
      await appendIdentityEvent(tx, after)
      return after
    })
    businessEvent('handleChanged', { tenant: account.tenant_id, account: account.did })
    return changed
  } catch (error) {
    throw toTakenError(error, handle)
  } finally {
    // One that stays behind is void in two minutes.
    await deleteClaim(pool, claim).catch(() => false)
  }
}

function taken(handle: string): HandleNotAvailableError {
  return new HandleNotAvailableError(`Handle already taken: ${handle}`)
}
