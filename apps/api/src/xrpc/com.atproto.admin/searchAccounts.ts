import { listAccounts } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { type Operator, moderatorAuth } from '../../auth/operator.ts'
import { accountViews } from './account-view.ts'
import type { AdminDeps } from './admin-deps.ts'

type Params = { email?: string; cursor?: string; limit: number }

const nsid = 'com.atproto.admin.searchAccounts'

/** com.atproto.admin.searchAccounts: the host's accounts, oldest first, or those whose address begins with a text. */
export function searchAccounts(deps: AdminDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: moderatorAuth(deps, nsid),
    handler: async ({ host, params, auth: { tenantIds } }: XrpcCall<Params, unknown, Operator>) => {
      const { email, cursor, limit } = params
      const afterId = cursor === undefined ? undefined : Number(cursor)
      if (afterId !== undefined && !Number.isSafeInteger(afterId)) throw invalidRequest('Malformed cursor')
      const emailPrefix = email?.trim().toLowerCase()
      const found = await listAccounts(deps.db.pool, {
        hostId: host.id,
        tenantIds,
        emailPrefix,
        afterId,
        limit,
      })
      const last = found.length < limit ? undefined : found.at(-1)
      return { ...(last && { cursor: String(last.id) }), accounts: await accountViews(deps, host.id, found) }
    },
  })
}
