import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AccessAuth, type AccessDeps, accessAuth } from '../../auth/access.ts'
import { type ForwardDeps, forward } from '../../proxy/forward.ts'

const nsid = 'com.atproto.moderation.createReport'

/**
 * com.atproto.moderation.createReport: hands a report on to the moderation service. Whoever is taken down may appeal;
 * which reports it takes from them is that service's to say (SPEC LAB-7).
 */
export function createReport(deps: AccessDeps & ForwardDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: accessAuth(deps, { allowTakendown: true }),
    handler: ({ input, auth, request, reply }: XrpcCall<unknown, object, AccessAuth>) =>
      forward(deps, { request, reply, auth, nsid, body: JSON.stringify(input) }),
  })
}
