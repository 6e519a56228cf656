import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { type Operator, moderatorAuth } from '../../auth/operator.ts'
import { accountViews } from './account-view.ts'
import { type AdminDeps, findReachedAccount } from './admin-deps.ts'

const nsid = 'com.atproto.admin.getAccountInfo'

/** com.atproto.admin.getAccountInfo: an account as the operator sees it. */
export function getAccountInfo(deps: AdminDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: moderatorAuth(deps, nsid),
    handler: async (call: XrpcCall<{ did: string }, unknown, Operator>) => {
      const account = await findReachedAccount(deps, call, call.params.did)
      if (account === undefined) throw invalidRequest('Account not found', 'NotFound')
      const [view] = await accountViews(deps, call.host.id, [account])
      return view
    },
  })
}
