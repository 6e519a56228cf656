import { type AnyXrpcMethod, type RawAnswer, defineMethod } from '@rookery/http'

import { type AccessDeps, type OptionalAuth, optionalAuth } from '../../auth/access.ts'
import { type SendRepoDeps, sendRepo } from './send-repo.ts'

/** com.atproto.sync.getRepo: a whole repo as a CAR, or what came into it since a rev. */
export function getRepo(deps: AccessDeps & SendRepoDeps): AnyXrpcMethod {
  return defineMethod<{ did: string; since?: string }, undefined, RawAnswer, OptionalAuth>({
    nsid: 'com.atproto.sync.getRepo',
    auth: optionalAuth(deps),
    handler: (call) => sendRepo(deps, call),
  })
}
