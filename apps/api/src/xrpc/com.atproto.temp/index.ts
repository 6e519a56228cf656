import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { checkSignupQueue } from './checkSignupQueue.ts'

/** The methods of com.atproto.temp. */
export function tempMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [checkSignupQueue(deps)]
}
