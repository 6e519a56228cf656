import { type InviteCodePage, listInviteCodes } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { inviteView } from '../../accounts/invite-view.ts'
import { type Operator, moderatorAuth } from '../../auth/operator.ts'
import type { AdminDeps } from './admin-deps.ts'

const nsid = 'com.atproto.admin.getInviteCodes'

type Params = { sort: string; limit: number; cursor?: string }

/** com.atproto.admin.getInviteCodes: the host's invite codes, the newest or the most used first. */
export function getInviteCodes(deps: AdminDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: moderatorAuth(deps, nsid),
    handler: async ({ host, params, auth: { tenantIds } }: XrpcCall<Params, unknown, Operator>) => {
      const { sort, limit } = params
      if (sort !== 'recent' && sort !== 'usage') throw invalidRequest(`unknown sort method: ${sort}`)
      const page = { hostId: host.id, tenantIds, sort, limit, after: parseCursor(params.cursor) } as const
      const { codes, next } = await listInviteCodes(deps.db.pool, page)
      return { ...(next && { cursor: `${next.position}::${next.code}` }), codes: codes.map(inviteView) }
    },
  })
}

function parseCursor(cursor: string | undefined): InviteCodePage['after'] {
  if (cursor === undefined) return undefined
  const [, position, code] = /^(\d{1,16})::(.+)$/s.exec(cursor) ?? []
  if (position === undefined || code === undefined) throw invalidRequest('Malformed cursor')
  return { position, code }
}
