import { standardScopes } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AccessAuth, type AccessDeps, accessAuth } from '../../auth/access.ts'
import { type ForwardDeps, forward } from '../../proxy/forward.ts'
import { findPushService } from '../../proxy/services.ts'

/**
 * app.bsky.notification.registerPush and unregisterPush: handed on to the service that the body names, unlike all other
 * methods, which go where a header says.
 */
export function pushMethod(
  deps: AccessDeps & ForwardDeps,
  nsid: 'app.bsky.notification.registerPush' | 'app.bsky.notification.unregisterPush',
): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: accessAuth(deps, { scopes: [...standardScopes, 'com.atproto.signupQueued'] }),
    handler: async ({
      input,
      auth,
      request,
      reply,
    }: XrpcCall<unknown, { serviceDid: string }, AccessAuth>) => {
      const service = await findPushService(deps, auth.account.tenant_id, input.serviceDid)
      const body = JSON.stringify(input)
      return forward(deps, { request, reply, auth, nsid, body, service })
    },
  })
}
