import { type Account, findAccount } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { type PdsHost, invalidRequest } from '@rookery/http'

/** What every method of the operator's uses. */
export type AdminDeps = { db: Pick<Database, 'pool'>; adminPassword: string }

/**
 * Returns the host's account that the operator names by DID or handle.
 *
 * @throws {XrpcError} 400 InvalidRequest if the host has none.
 */
export async function getNamedAccount(deps: AdminDeps, host: PdsHost, name: string): Promise<Account> {
  const account = await findAccount(deps.db.pool, host.id, name)
  if (account === undefined) throw invalidRequest(`Account does not exist: ${name}`)
  return account
}
