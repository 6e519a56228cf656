import { disableInviteCodes as disable } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { type Operator, moderatorAuth } from '../../auth/operator.ts'
import type { AdminDeps } from './admin-deps.ts'

const nsid = 'com.atproto.admin.disableInviteCodes'

type Input = { codes?: string[]; accounts?: string[] }

/** com.atproto.admin.disableInviteCodes: ends invite codes, by themselves or all that are for an account. */
export function disableInviteCodes(deps: AdminDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: moderatorAuth(deps, nsid),
    handler: async ({ host, input, auth: { tenantIds } }: XrpcCall<unknown, Input, Operator>) => {
      const { codes = [], accounts = [] } = input
      if (accounts.includes('admin')) throw invalidRequest('cannot disable admin invite codes')
      await disable(deps.db.pool, { hostId: host.id, tenantIds, codes, accounts })
    },
  })
}
