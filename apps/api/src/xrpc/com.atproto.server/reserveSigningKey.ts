import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import type { SigningKeys } from '@rookery/identity'

import { unauthenticated } from '../../auth/unauthenticated.ts'

/** com.atproto.server.reserveSigningKey: the key that an account which is still to come will sign with. */
export function reserveSigningKey(deps: { signingKeys: SigningKeys }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.reserveSigningKey',
    auth: unauthenticated,
    handler: async ({ host, input }: XrpcCall<unknown, { did?: string }, null>) => ({
      signingKey: await deps.signingKeys.reserve(host.id, input.did ?? null),
    }),
  })
}
