import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { describeServer } from './describeServer.ts'

/** The methods of com.atproto.server. */
export function serverMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [describeServer({ directory: deps.directory, uploadBytesMax: deps.config.blobs.uploadBytesMax })]
}
