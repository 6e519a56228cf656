import { type Account, type AccountRef, findAccountByDid } from '@rookery/accounts'
import type { Queryable } from '@rookery/db'
import { RepoNotFoundError, requireActive } from '@rookery/records'

import type { OptionalAuth } from '../auth/access.ts'

/**
 * Returns the host's account whose public data the caller may read: an active one, or any that is the caller's own
 * or that the operator asks for.
 *
 * @throws {RepoNotFoundError} if the host has no such account.
 * @throws {RepoTakendownError} {RepoSuspendedError} {RepoDeactivatedError} if it is not active.
 */
export async function getReadableAccount(
  db: Queryable,
  ref: AccountRef,
  auth: OptionalAuth,
): Promise<Account> {
  const account = await findAccountByDid(db, ref)
  if (account === undefined) throw new RepoNotFoundError(`Could not find repo for DID: ${ref.did}`)
  const isPrivileged = auth.type === 'admin' || (auth.type === 'access' && auth.account.id === account.id)
  if (!isPrivileged) requireActive(account.did, account.status)
  return account
}
