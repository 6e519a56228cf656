import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { getFeed } from './getFeed.ts'

/** Those methods of app.bsky.feed that are not simply forwarded. */
export function feedMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [getFeed(deps)]
}
