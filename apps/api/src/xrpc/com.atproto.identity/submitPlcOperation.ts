import { announceIdentity } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import {
  type IdentityResolver,
  type PlcIdentities,
  type SigningKeys,
  type SubmittedOperation,
  assertOperationKeepsAccount,
} from '@rookery/identity'

import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

export type SubmitPlcOperationDeps = AccessDeps & {
  identities: IdentityResolver
  plc: PlcIdentities
  signingKeys: SigningKeys
  wakeSequencer: () => void
}

/** com.atproto.identity.submitPlcOperation: sends an operation to the directory if it keeps the account working here. */
export function submitPlcOperation(deps: SubmitPlcOperationDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.identity.submitPlcOperation',
    auth: fullAccessAuth(deps),
    handler: async ({
      host,
      input: { operation },
      auth: { account },
    }: XrpcCall<unknown, { operation: SubmittedOperation }, AccessAuth>) => {
      const { didKey } = await deps.signingKeys.signerFor(account)
      assertOperationKeepsAccount(operation, {
        plc: deps.plc,
        signingKey: didKey,
        pdsUrl: host.publicUrl,
        handle: account.handle,
      })
      await deps.plc.submit(account.did, operation)
      await deps.identities.forget({ did: account.did })
      await announceIdentity(deps, account)
      deps.wakeSequencer()
    },
  })
}
