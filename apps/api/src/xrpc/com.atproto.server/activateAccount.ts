import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type ActivateDeps, activate } from '../../accounts/activate.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.server.activateAccount: shows the account again, or for the first time after it moved here. */
export function activateAccount(deps: AccessDeps & ActivateDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.activateAccount',
    auth: fullAccessAuth(deps),
    handler: ({ host, auth }: XrpcCall<unknown, unknown, AccessAuth>) => activate(deps, host, auth.account),
  })
}
