import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import type { IdentityResolver } from '@rookery/identity'

import { unauthenticated } from '../../auth/unauthenticated.ts'

/** com.atproto.identity.resolveDid: a DID's document; whether its handle agrees is not checked. */
export function resolveDid(deps: { identities: IdentityResolver }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.identity.resolveDid',
    auth: unauthenticated,
    handler: async ({ params }: XrpcCall<{ did: string }, unknown, null>) => ({
      didDoc: await deps.identities.resolveDid(params.did),
    }),
  })
}
