import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'
import { type DeliveryRow, type DeliveryState, listDeliveries as list } from '@rookery/mail'

import { type Operator, type OperatorDeps, operatorAuth } from '../../auth/operator.ts'

type Params = { state?: DeliveryState; recipient?: string; limit: number; cursor?: string }

/** net.rookery.mail.listDeliveries: the host's mails and what became of them. */
export function listDeliveries(deps: OperatorDeps & { db: Pick<Database, 'pool'> }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'net.rookery.mail.listDeliveries',
    auth: operatorAuth(deps),
    handler: async ({ host, params, auth }: XrpcCall<Params, unknown, Operator>) => {
      const { state, recipient, limit, cursor } = params
      if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) throw invalidRequest('Malformed cursor')
      const rows = await list(deps.db.pool, {
        hostId: host.id,
        tenantIds: auth.tenantIds,
        state,
        recipient: recipient?.trim().toLowerCase(),
        belowId: cursor === undefined ? undefined : Number(cursor),
        limit,
      })
      const next = rows.length < limit ? undefined : rows.at(-1)?.id
      return { ...(next === undefined ? {} : { cursor: String(next) }), deliveries: rows.map(viewOf) }
    },
  })
}

function viewOf(row: DeliveryRow): Record<string, unknown> {
  return {
    id: String(row.id),
    did: row.did ?? undefined,
    template: row.template,
    recipient: row.recipient,
    senderDid: row.sender ?? undefined,
    state: row.state,
    attempts: row.attempts,
    messageId: row.message_id ?? undefined,
    error: row.error ?? undefined,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  }
}
