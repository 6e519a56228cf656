import { fullScopes, getPreferences as findPreferences } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AccessAuth, type AccessDeps, accessAuth } from '../../auth/access.ts'
import { type ForwardDeps, assertMayCallAppView, forward, isForOwnAppView } from '../../proxy/forward.ts'

const nsid = 'app.bsky.actor.getPreferences'

/** app.bsky.actor.getPreferences: kept here for the tenant's AppView; other services keep their own. */
export function getPreferences(deps: AccessDeps & ForwardDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: accessAuth(deps, { allowTakendown: true }),
    handler: async ({ host, auth, request, reply }: XrpcCall<unknown, unknown, AccessAuth>) => {
      if (!(await isForOwnAppView(deps, request, auth))) return forward(deps, { request, reply, auth, nsid })
      await assertMayCallAppView(deps, { host, auth, nsid })
      const access = { isFullAccess: fullScopes.includes(auth.scope) }
      return { preferences: await findPreferences(deps.db.pool, auth.account.id, access) }
    },
  })
}
