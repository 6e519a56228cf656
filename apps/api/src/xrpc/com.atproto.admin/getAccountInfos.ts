import { findAccountsByDid } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { type Operator, isInReach, moderatorAuth } from '../../auth/operator.ts'
import { accountViews } from './account-view.ts'
import type { AdminDeps } from './admin-deps.ts'

/** Accounts that one call asks for. */
const didsMax = 1_000

const nsid = 'com.atproto.admin.getAccountInfos'

/** com.atproto.admin.getAccountInfos: accounts as the operator sees them; those that the host has not are left out. */
export function getAccountInfos(deps: AdminDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: moderatorAuth(deps, nsid),
    handler: async ({ host, params, auth }: XrpcCall<{ dids: string[] }, unknown, Operator>) => {
      if (params.dids.length > didsMax)
        throw invalidRequest(`at most ${didsMax} accounts can be asked for at once`)
      const refs = params.dids.map((did) => ({ hostId: host.id, did }))
      const found = await findAccountsByDid(deps.db.pool, refs)
      const reached = found
        .filter((account) => account !== undefined)
        .filter((account) => isInReach(auth, account))
      return { infos: await accountViews(deps, host.id, reached) }
    },
  })
}
