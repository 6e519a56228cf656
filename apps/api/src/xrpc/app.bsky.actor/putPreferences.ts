import { type Preference, fullScopes, putPreferences as storePreferences } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AccessAuth, type AccessDeps, accessAuth } from '../../auth/access.ts'
import { type ForwardDeps, assertMayCallAppView, forward, isForOwnAppView } from '../../proxy/forward.ts'

const nsid = 'app.bsky.actor.putPreferences'

/** Largest body, in bytes: muted words and hidden posts add up over the years. */
const preferencesBytesMax = 512 * 1024

/**
 * app.bsky.actor.putPreferences: kept here for the tenant's AppView; other services keep their own. An account that
 * moves in brings them along before it is active.
 */
export function putPreferences(deps: AccessDeps & ForwardDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: accessAuth(deps),
    inputBytesMax: preferencesBytesMax,
    handler: async ({
      host,
      input,
      auth,
      request,
      reply,
    }: XrpcCall<unknown, { preferences: Preference[] }, AccessAuth>) => {
      if (!(await isForOwnAppView(deps, request, auth))) {
        return forward(deps, { request, reply, auth, nsid, body: JSON.stringify(input) })
      }
      await assertMayCallAppView(deps, { host, auth, nsid })
      const access = { isFullAccess: fullScopes.includes(auth.scope) }
      return storePreferences(deps, auth.account.id, input.preferences, access)
    },
  })
}
