import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { getBlob } from './getBlob.ts'
import { listBlobs } from './listBlobs.ts'

/** The methods of com.atproto.sync. */
export function syncMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [getBlob(deps), listBlobs(deps)]
}
