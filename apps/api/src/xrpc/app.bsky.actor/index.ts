import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { getPreferences } from './getPreferences.ts'
import { putPreferences } from './putPreferences.ts'

/** Those methods of app.bsky.actor that are not simply forwarded. */
export function actorMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [getPreferences(deps), putPreferences(deps)]
}
