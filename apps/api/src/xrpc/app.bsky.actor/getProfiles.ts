import type { AnyXrpcMethod } from '@rookery/http'

import { type ReadDeps, readMethod } from '../../read-after-write/read-method.ts'
import type { ProfileView } from '../../read-after-write/views.ts'

type Output = { profiles: ProfileView[] }

/** app.bsky.actor.getProfiles: the caller's own among them as it is now. */
export function getProfiles(deps: ReadDeps): AnyXrpcMethod {
  return readMethod<unknown, Output>(deps, {
    nsid: 'app.bsky.actor.getProfiles',
    adjust: (viewer, output) => ({
      ...output,
      profiles: output.profiles.map((profile) => viewer.updated(profile, 'detailed')),
    }),
  })
}
