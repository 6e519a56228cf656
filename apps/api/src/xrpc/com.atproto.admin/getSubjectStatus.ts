import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type Operator, moderatorAuth } from '../../auth/operator.ts'
import type { AdminDeps } from './admin-deps.ts'
import { type SubjectName, getSubject, getSubjectState } from './subjects.ts'

const nsid = 'com.atproto.admin.getSubjectStatus'

/** com.atproto.admin.getSubjectStatus: whether an account, a record or a blob is taken down. */
export function getSubjectStatus(deps: AdminDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: moderatorAuth(deps, nsid),
    handler: async (call: XrpcCall<SubjectName, unknown, Operator>) =>
      getSubjectState(deps, await getSubject(deps, call, call.params)),
  })
}
