import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { pushMethod } from './registerPush.ts'

/** Those methods of app.bsky.notification that are not simply forwarded. */
export function notificationMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [
    pushMethod(deps, 'app.bsky.notification.registerPush'),
    pushMethod(deps, 'app.bsky.notification.unregisterPush'),
  ]
}
