import { type Account, appendAccountEvent, appendIdentityEvent, changeAccountStatus } from '@rookery/accounts'
import type { Database, Queryable } from '@rookery/db'
import type { PdsHost } from '@rookery/http'
import {
  type IdentityResolver,
  type PlcIdentities,
  type SigningKeys,
  assertIdentityIsOurs,
} from '@rookery/identity'
import { repoSigner, resignRepo } from '@rookery/records'
import type { TidClock } from '@rookery/syntax'

export type ActivateDeps = {
  db: Pick<Database, 'pool'>
  identities: IdentityResolver
  plc: PlcIdentities
  signingKeys: SigningKeys
  clock: TidClock
  wakeSequencer: () => void
}

/**
 * Shows the account again, or for the first time after it moved here. Its DID must say that it is here. Whoever
 * follows learns of it by #identity, #account and a #sync of a commit that is signed afresh, for what they knew of the
 * repo may be from another host.
 *
 * @throws whatever `assertIdentityIsOurs` and `changeAccountStatus` throw.
 */
export async function activate(deps: ActivateDeps, host: PdsHost, account: Account): Promise<void> {
  const signer = await deps.signingKeys.signerFor(account)
  await assertIdentityIsOurs(deps, {
    did: account.did,
    signingKey: signer.didKey,
    pdsUrl: host.publicUrl,
    handle: account.handle,
  })
  const appendEvents = async (tx: Queryable, activated: Account): Promise<void> => {
    await appendIdentityEvent(tx, activated)
    await appendAccountEvent(tx, activated)
    const signerFor = repoSigner(deps.signingKeys)
    await resignRepo(tx, { accountId: account.id, signerFor, clock: deps.clock, event: 'sync' })
  }
  await changeAccountStatus({ db: deps.db, appendEvents }, account.id, { deactivated: null })
  deps.wakeSequencer()
}
