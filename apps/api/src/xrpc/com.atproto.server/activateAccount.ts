import { type Account, appendAccountEvent, appendIdentityEvent, changeAccountStatus } from '@rookery/accounts'
import type { Queryable } from '@rookery/db'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import {
  type IdentityResolver,
  type PlcIdentities,
  type SigningKeys,
  assertIdentityIsOurs,
} from '@rookery/identity'
import { resignRepo } from '@rookery/records'
import type { TidClock } from '@rookery/syntax'

import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

export type ActivateAccountDeps = AccessDeps & {
  identities: IdentityResolver
  plc: PlcIdentities
  signingKeys: SigningKeys
  clock: TidClock
  wakeSequencer: () => void
}

/**
 * com.atproto.server.activateAccount: shows the account again, or for the first time after it moved here. Its DID must
 * say that it is here. Whoever follows learns of it by #identity, #account and a #sync of a commit that is signed
 * afresh, for what they knew of the repo may be from another host.
 */
export function activateAccount(deps: ActivateAccountDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.activateAccount',
    auth: fullAccessAuth(deps),
    handler: async ({ host, auth: { account } }: XrpcCall<unknown, unknown, AccessAuth>) => {
      const signer = await deps.signingKeys.signerFor(account)
      await assertIdentityIsOurs(deps, {
        did: account.did,
        signingKey: signer.didKey,
        pdsUrl: host.publicUrl,
      })
      const appendEvents = async (tx: Queryable, activated: Account): Promise<void> => {
        await appendIdentityEvent(tx, activated)
        await appendAccountEvent(tx, activated)
        const sign = (bytes: Uint8Array): Uint8Array => signer.sign(bytes)
        await resignRepo(tx, { accountId: account.id, sign, clock: deps.clock, event: 'sync' })
      }
      await changeAccountStatus({ db: deps.db, appendEvents }, account.id, { deactivated: null })
      deps.wakeSequencer()
    },
  })
}
