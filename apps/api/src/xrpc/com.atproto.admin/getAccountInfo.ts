import { findAccountByDid } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { type AdminAuth, adminAuth } from '../../auth/admin.ts'
import { accountView } from './account-view.ts'
import type { AdminDeps } from './admin-deps.ts'

/** com.atproto.admin.getAccountInfo: an account as the operator sees it. */
export function getAccountInfo(deps: AdminDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.admin.getAccountInfo',
    auth: adminAuth(deps.adminPassword),
    handler: async ({ host, params }: XrpcCall<{ did: string }, unknown, AdminAuth>) => {
      const account = await findAccountByDid(deps.db.pool, { hostId: host.id, did: params.did })
      if (account === undefined) throw invalidRequest('Account not found', 'NotFound')
      return accountView(account)
    },
  })
}
