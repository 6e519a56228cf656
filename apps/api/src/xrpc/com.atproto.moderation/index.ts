import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { createReport } from './createReport.ts'

/** The methods of com.atproto.moderation. */
export function moderationMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [createReport(deps)]
}
