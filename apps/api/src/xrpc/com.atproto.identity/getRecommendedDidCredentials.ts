import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { type PlcIdentities, type SigningKeys, recommendedCredentials } from '@rookery/identity'
import { invalidHandle } from '@rookery/syntax'

import { type AccessAuth, type AccessDeps, accessAuth } from '../../auth/access.ts'

/** com.atproto.identity.getRecommendedDidCredentials: what the account's DID should say to be at home here. */
export function getRecommendedDidCredentials(
  deps: AccessDeps & { plc: PlcIdentities; signingKeys: SigningKeys },
): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.identity.getRecommendedDidCredentials',
    auth: accessAuth(deps),
    handler: async ({ host, auth: { account } }: XrpcCall<unknown, unknown, AccessAuth>) => {
      const { didKey } = await deps.signingKeys.signerFor(account)
      return recommendedCredentials(deps.plc, {
        did: account.did,
        signingKey: didKey,
        pdsUrl: host.publicUrl,
        handle: account.handle ?? invalidHandle,
      })
    },
  })
}
