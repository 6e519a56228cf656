import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { getSubjectStatus } from './getSubjectStatus.ts'
import { updateSubjectStatus } from './updateSubjectStatus.ts'

/** The methods of com.atproto.admin. */
export function adminMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [getSubjectStatus(deps), updateSubjectStatus(deps)]
}
