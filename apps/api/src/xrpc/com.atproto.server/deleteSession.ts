import { type SignInDeps, endSession } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type RefreshAuth, refreshAuth } from '../../auth/refresh.ts'

/** com.atproto.server.deleteSession: signs out; an expired token will do. */
export function deleteSession(deps: Pick<SignInDeps, 'db' | 'tokens'>): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.deleteSession',
    auth: refreshAuth(deps, { allowExpired: true }),
    handler: async ({ host, auth }: XrpcCall<unknown, unknown, RefreshAuth>) => endSession(deps, host, auth),
  })
}
