import { type AnyXrpcMethod, type RawAnswer, defineMethod } from '@rookery/http'

import { type AccessDeps, type OptionalAuth, optionalAuth } from '../../auth/access.ts'
import { type SendRepoDeps, sendRepo } from './send-repo.ts'

/** com.atproto.sync.getCheckout: what getRepo answers; deprecated, but old clients call it. */
export function getCheckout(deps: AccessDeps & SendRepoDeps): AnyXrpcMethod {
  return defineMethod<{ did: string }, undefined, RawAnswer, OptionalAuth>({
    nsid: 'com.atproto.sync.getCheckout',
    auth: optionalAuth(deps),
    handler: (call) => sendRepo(deps, { ...call, params: { did: call.params.did } }),
  })
}
