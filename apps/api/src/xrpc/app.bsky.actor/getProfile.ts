import type { AnyXrpcMethod } from '@rookery/http'

import { type ReadDeps, readMethod } from '../../read-after-write/read-method.ts'
import type { ProfileView } from '../../read-after-write/views.ts'

/** app.bsky.actor.getProfile: the caller's own as it is now. */
export function getProfile(deps: ReadDeps): AnyXrpcMethod {
  return readMethod<unknown, ProfileView>(deps, {
    nsid: 'app.bsky.actor.getProfile',
    adjust: (viewer, profile) => viewer.updated(profile, 'detailed'),
  })
}
