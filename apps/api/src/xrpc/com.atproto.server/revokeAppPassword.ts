import { revokeAppPassword as revoke } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.server.revokeAppPassword: ends an app password and the sessions that it began. */
export function revokeAppPassword(deps: AccessDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.revokeAppPassword',
    auth: fullAccessAuth(deps),
    handler: ({ input, auth }: XrpcCall<unknown, { name: string }, AccessAuth>) =>
      revoke(deps, auth.account.id, input.name),
  })
}
