import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { listDeliveries } from './listDeliveries.ts'
import { recordBounce } from './recordBounce.ts'

/** The methods of net.rookery.mail. */
export function mailMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [listDeliveries(deps), recordBounce(deps)]
}
