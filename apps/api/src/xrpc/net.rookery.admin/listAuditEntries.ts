import { type AuditEntry, listAuditEntries as list } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { type Operator, operatorAuth } from '../../auth/operator.ts'
import type { AdminDeps } from '../com.atproto.admin/admin-deps.ts'

type Params = { did?: string; limit: number; cursor?: string }

/** net.rookery.admin.listAuditEntries: what was done on the host by whom, the latest first. */
export function listAuditEntries(deps: AdminDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'net.rookery.admin.listAuditEntries',
    auth: operatorAuth(deps),
    handler: async ({ host, params, auth: { tenantIds } }: XrpcCall<Params, unknown, Operator>) => {
      const { did, limit, cursor } = params
      const beforeId = cursor === undefined ? undefined : Number(cursor)
      if (beforeId !== undefined && !Number.isSafeInteger(beforeId)) throw invalidRequest('Malformed cursor')
      const found = await list(deps.db.pool, { hostId: host.id, tenantIds, did, beforeId, limit })
      const last = found.length < limit ? undefined : found.at(-1)
      return { ...(last && { cursor: String(last.id) }), entries: found.map(entryView) }
    },
  })
}

function entryView({ did, actor, action, detail, created_at }: AuditEntry): object {
  return { ...(did !== null && { did }), actor, action, detail, createdAt: created_at.toISOString() }
}
