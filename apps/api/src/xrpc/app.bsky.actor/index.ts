import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { getPreferences } from './getPreferences.ts'
import { getProfile } from './getProfile.ts'
import { getProfiles } from './getProfiles.ts'
import { putPreferences } from './putPreferences.ts'

/** Those methods of app.bsky.actor that are not simply forwarded. */
export function actorMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [getPreferences(deps), getProfile(deps), getProfiles(deps), putPreferences(deps)]
}
