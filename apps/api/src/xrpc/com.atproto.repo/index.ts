import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { listMissingBlobs } from './listMissingBlobs.ts'
import { uploadBlob } from './uploadBlob.ts'

/** The methods of com.atproto.repo. */
export function repoMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [listMissingBlobs(deps), uploadBlob({ ...deps, uploadBytesMax: deps.config.blobs.uploadBytesMax })]
}
