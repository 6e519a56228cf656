import { type Account, findAccount } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { type PdsHost, invalidRequest } from '@rookery/http'

import { type ModeratorDeps, type Operator, isInReach } from '../../auth/operator.ts'

/** What every method of the operator's uses. */
export type AdminDeps = ModeratorDeps & { db: Pick<Database, 'pool'> }

/** Returns the host's account that a DID or handle names if it is in the operator's reach, or undefined. */
export async function findReachedAccount(
  deps: Pick<AdminDeps, 'db'>,
  { host, auth }: { host: PdsHost; auth: Operator },
  name: string,
): Promise<Account | undefined> {
  const account = await findAccount(deps.db.pool, host.id, name)
  return account !== undefined && isInReach(auth, account) ? account : undefined
}

/**
 * Returns the host's account that the operator names by DID or handle.
 *
 * @throws {XrpcError} 400 InvalidRequest if the host has none, or it is out of reach.
 */
export async function getNamedAccount(
  deps: Pick<AdminDeps, 'db'>,
  call: { host: PdsHost; auth: Operator },
  name: string,
): Promise<Account> {
  const account = await findReachedAccount(deps, call, name)
  if (account === undefined) throw invalidRequest(`Account does not exist: ${name}`)
  return account
}
