import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { getBlobUsage } from './getBlobUsage.ts'
import { purgeBlob } from './purgeBlob.ts'
import { setBlobQuota } from './setBlobQuota.ts'

/** The methods of net.rookery.admin. */
export function rookeryAdminMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [getBlobUsage(deps), purgeBlob(deps), setBlobQuota(deps)]
}
