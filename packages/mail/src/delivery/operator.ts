import { type Database, type Queryable, inTransaction } from '@rookery/db'
import { retryDeadJobs } from '@rookery/jobs'
import { businessEvent } from '@rookery/telemetry'

import { DeliveryNotFoundError } from '../errors.ts'
import { deliveriesDeletedMax, deliveryErrorLengthMax, deliveryKeepMs, listDeliveriesMax } from '../limits.ts'
import {
  type DeliveryFilter,
  type DeliveryRow,
  type SuppressionRow,
  deleteOldDeliveries,
  deleteSuppression,
  findFailed,
  findTaken,
  insertSuppression,
  markQueued,
  markReturned,
  selectDeliveries,
  selectSuppressed,
} from './delivery-queries.ts'

/** Returns mails and what became of them, newest first; at most 1,000. */
export function listDeliveries(db: Queryable, filter: DeliveryFilter): Promise<DeliveryRow[]> {
  return selectDeliveries(db, { ...filter, limit: Math.min(filter.limit, listDeliveriesMax) })
}

/** Returns the addresses that a tenant, or any, sends nothing to; at most 1,000. */
export function listSuppressed(db: Queryable, tenantId?: number): Promise<SuppressionRow[]> {
  return selectSuppressed(db, { tenantId, limit: listDeliveriesMax })
}

/** Lets the tenant send to the address again; tells whether it was suppressed. */
export function unsuppress(db: Queryable, tenantId: number, recipient: string): Promise<boolean> {
  return deleteSuppression(db, tenantId, recipient.trim().toLowerCase())
}

/**
 * Gives mails that were given up all their attempts again.
 *
 * @returns those of them that had been.
 */
export async function retryFailed(
  { db }: { db: Pick<Database, 'pool'> },
  ids: readonly number[],
): Promise<number[]> {
  return inTransaction(db.pool, async (tx) => {
    const failed = await findFailed(tx, ids)
    const reopened = await retryDeadJobs(tx, { ids: failed.map(({ job_id }) => job_id) })
    const again = failed.filter(({ job_id }) => reopened.includes(job_id)).map(({ id }) => id)
    await markQueued(tx, again)
    return again
  })
}

/** Deletes what is known of mails of more than 30 days ago, at most 5,000 at a time. */
export function dropOldDeliveries(db: Queryable): Promise<number> {
  return deleteOldDeliveries(db, { keepMs: deliveryKeepMs, max: deliveriesDeletedMax })
}

/** What a mail server or service says of a mail that it had taken. */
export type Bounce = {
  recipient: string
  /** As the transport gave it, with or without angle brackets; without one it is the latest mail to the address. */
  messageId?: string | undefined
  /** `hard` and `complaint` suppress the address for the tenant; `soft` is only noted. */
  kind: 'hard' | 'soft' | 'complaint'
  detail?: string | undefined
}

/**
 * Notes that a mail of the host came back, if it is one of the given tenants' (undefined: of any). Told twice, it is
 * noted once.
 *
 * @returns whether the tenant sends nothing to the address from now on.
 * @throws {DeliveryNotFoundError} if the host sent no such mail in the last 30 days.
 */
export async function recordBounce(
  { db }: { db: Pick<Database, 'pool'> },
  { hostId, tenantIds }: { hostId: number; tenantIds: readonly number[] | undefined },
  bounce: Bounce,
): Promise<{ suppressed: boolean }> {
  const { kind } = bounce
  const recipient = bounce.recipient.trim().toLowerCase()
  const messageId = bounce.messageId?.trim().replaceAll(/[<>]/g, '')
  const detail = bounce.detail?.slice(0, deliveryErrorLengthMax) ?? null
  const noted = await inTransaction(db.pool, async (tx) => {
    const delivery = await findTaken(tx, { hostId, tenantIds, messageId, recipient })
    if (delivery === undefined) throw new DeliveryNotFoundError('No such mail was sent from here')
    await markReturned(tx, delivery.id, {
      state: kind === 'complaint' ? 'complained' : 'bounced',
      error: detail,
    })
    if (kind === 'soft') return { suppressed: false }
    const reason = kind === 'complaint' ? 'complaint' : 'bounce'
    await insertSuppression(tx, { tenantId: delivery.tenant_id, recipient, reason, detail })
    return { suppressed: true }
  })
  businessEvent('mailBounced', { host: hostId, kind })
  return noted
}
