import { findAccountsByDid } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { type AdminAuth, adminAuth } from '../../auth/admin.ts'
import { accountView } from './account-view.ts'
import type { AdminDeps } from './admin-deps.ts'

/** Accounts that one call asks for. */
const didsMax = 1_000

/** com.atproto.admin.getAccountInfos: accounts as the operator sees them; those that the host has not are left out. */
export function getAccountInfos(deps: AdminDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.admin.getAccountInfos',
    auth: adminAuth(deps.adminPassword),
    handler: async ({ host, params }: XrpcCall<{ dids: string[] }, unknown, AdminAuth>) => {
      if (params.dids.length > didsMax)
        throw invalidRequest(`at most ${didsMax} accounts can be asked for at once`)
      const refs = params.dids.map((did) => ({ hostId: host.id, did }))
      const found = await findAccountsByDid(deps.db.pool, refs)
      return { infos: found.flatMap((account) => (account === undefined ? [] : [accountView(account)])) }
    },
  })
}
