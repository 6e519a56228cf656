import { type MailDeliveryState, type Queryable, statement } from '@rookery/db'

/** What became of a mail; see `deliveryStates`. */
export type DeliveryState = MailDeliveryState

/** Every state of a mail, in words for operators. */
export const deliveryStates: Readonly<Record<DeliveryState, string>> = {
  queued: 'waits to be sent',
  retrying: 'was not taken, and is tried again',
  sent: 'was taken by the mail server',
  failed: 'was given up: refused for good, or tried too often',
  dropped: 'was not sent: the account was gone or had another address',
  suppressed: 'was not sent: its address is suppressed',
  limited: 'was not sent: the address or the tenant had its share of the hour',
  bounced: 'was taken, and came back',
  complained: 'was taken, and called unwanted',
}

/** A mail as an operator sees it. */
export type DeliveryRow = {
  id: number
  host_id: number
  tenant_id: number
  account_id: number | null
  /** Of the account, while it is there. */
  did: string | null
  job_id: number | null
  template: string
  recipient: string
  /** DID of the moderator who wrote it. */
  sender: string | null
  state: DeliveryState
  message_id: string | null
  attempts: number
  error: string | null
  created_at: Date
  updated_at: Date
}

/** An address that a tenant sends nothing to. */
export type SuppressionRow = {
  tenant_id: number
  recipient: string
  reason: string
  detail: string | null
  created_at: Date
}

/** Which mails an operator asks for; the next page starts below the last id. */
export type DeliveryFilter = {
  hostId?: number | undefined
  /** Undefined for all. */
  tenantIds?: readonly number[] | undefined
  recipient?: string | undefined
  state?: DeliveryState | undefined
  belowId?: number | undefined
  limit: number
}

type NewDelivery = {
  hostId: number
  tenantId: number
  accountId: number | null
  template: string
  recipient: string
  sender: string | null
}

/** Notes a mail that is to be sent; one that is asked for again under the same job stays one. */
export async function insertDelivery(
  tx: Queryable,
  delivery: NewDelivery & { jobId: number },
): Promise<void> {
  await tx.query(
    `insert into mail_delivery (host_id, tenant_id, account_id, template, recipient, sender, job_id)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (job_id) do update set state = 'queued', recipient = excluded.recipient, updated_at = now()`,
    [...values(delivery), delivery.jobId],
  )
}

/** Notes that a mail was asked for past a limit: once in a window for an address, so that nobody fills the table. */
export async function insertLimited(tx: Queryable, delivery: NewDelivery, windowMs: number): Promise<void> {
  await tx.query(
    `insert into mail_delivery (host_id, tenant_id, account_id, template, recipient, sender, state)
     select $1::bigint, $2::bigint, $3::bigint, $4::text, $5::text, $6::text, 'limited'
     where not exists (
       select from mail_delivery
       where tenant_id = $2 and recipient = $5 and state = 'limited'
         and created_at > now() - $7::bigint * interval '1 millisecond')`,
    [...values(delivery), windowMs],
  )
}

function values(delivery: NewDelivery): unknown[] {
  const { hostId, tenantId, accountId, template, recipient, sender } = delivery
  return [hostId, tenantId, accountId, template, recipient, sender]
}

const recent = statement<{ recipient: number; tenant: number }>(
  'mail_count_recent',
  `select
     (select count(*) from mail_delivery
      where tenant_id = $1 and recipient = $2 and state <> 'limited'
        and created_at > now() - $3::bigint * interval '1 millisecond')::integer as recipient,
     (select count(*) from (
        select from mail_delivery
        where tenant_id = $1 and state <> 'limited'
          and created_at > now() - $3::bigint * interval '1 millisecond'
        limit $4) counted)::integer as tenant`,
)

/** Returns how many mails of the last window there are to the address, and for the tenant up to `max`. */
export async function countRecent(
  tx: Queryable,
  of: { tenantId: number; recipient: string; windowMs: number; max: number },
): Promise<{ recipient: number; tenant: number }> {
  const { rows } = await recent(tx, [of.tenantId, of.recipient, of.windowMs, of.max])
  return rows[0] ?? { recipient: 0, tenant: 0 }
}

/** Notes what became of a job's mail, also if a version that noted nothing had asked for it. */
export async function recordOutcome(
  db: Queryable,
  delivery: NewDelivery & { jobId: number },
  outcome: { state: DeliveryState; attempts: number; messageId?: string | undefined; error?: string },
): Promise<void> {
  await db.query(
    `insert into mail_delivery (host_id, tenant_id, account_id, template, recipient, sender, job_id, state,
       attempts, message_id, error)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (job_id) do update set
       state = excluded.state, attempts = excluded.attempts, message_id = excluded.message_id,
       error = excluded.error, updated_at = now()`,
    [
      ...values(delivery),
      delivery.jobId,
      outcome.state,
      outcome.attempts,
      outcome.messageId ?? null,
      outcome.error ?? null,
    ],
  )
}

/** Returns mails, newest first. */
export async function selectDeliveries(db: Queryable, filter: DeliveryFilter): Promise<DeliveryRow[]> {
  const { hostId, tenantIds, recipient, state, belowId, limit } = filter
  const { rows } = await db.query<DeliveryRow>(
    `select d.*, a.did from mail_delivery d left join account a on a.id = d.account_id
     where ($1::bigint is null or d.host_id = $1) and ($2::bigint[] is null or d.tenant_id = any($2))
       and ($3::text is null or d.recipient = $3) and ($4::text is null or d.state = $4)
       and ($5::bigint is null or d.id < $5)
     order by d.id desc limit $6`,
    [hostId ?? null, tenantIds ?? null, recipient ?? null, state ?? null, belowId ?? null, limit],
  )
  return rows
}

/** Returns the host's mail that a bounce speaks of, by message id or as the latest to the address, or undefined. */
export async function findTaken(
  db: Queryable,
  of: {
    hostId: number
    tenantIds: readonly number[] | undefined
    messageId: string | undefined
    recipient: string
  },
): Promise<{ id: number; tenant_id: number } | undefined> {
  const { rows } = await db.query<{ id: number; tenant_id: number }>(
    `select id, tenant_id from mail_delivery
     where host_id = $1 and recipient = $2 and ($3::text is null or message_id = $3)
       and ($4::bigint[] is null or tenant_id = any($4)) and state in ('sent', 'bounced', 'complained')
     order by id desc limit 1`,
    [of.hostId, of.recipient, of.messageId ?? null, of.tenantIds ?? null],
  )
  return rows[0]
}

/** Returns the jobs of mails that were given up, by mail: ids. */
export async function findFailed(
  db: Queryable,
  ids: readonly number[],
): Promise<{ id: number; job_id: number }[]> {
  const { rows } = await db.query<{ id: number; job_id: number }>(
    `select id, job_id from mail_delivery where id = any($1::bigint[]) and state = 'failed' and job_id is not null`,
    [ids],
  )
  return rows
}

/** Notes that mails wait to be sent again: ids. */
export async function markQueued(tx: Queryable, ids: readonly number[]): Promise<void> {
  await tx.query(
    `update mail_delivery set state = 'queued', updated_at = now() where id = any($1::bigint[]) and state = 'failed'`,
    [ids],
  )
}

/** Notes that a mail came back. */
export async function markReturned(
  tx: Queryable,
  id: number,
  { state, error }: { state: DeliveryState; error: string | null },
): Promise<void> {
  await tx.query('update mail_delivery set state = $2, error = $3, updated_at = now() where id = $1', [
    id,
    state,
    error,
  ])
}

/** Tells whether the tenant sends nothing to the address. */
export async function isSuppressed(db: Queryable, tenantId: number, recipient: string): Promise<boolean> {
  const { rows } = await db.query('select from mail_suppression where tenant_id = $1 and recipient = $2', [
    tenantId,
    recipient,
  ])
  return rows.length > 0
}

/** Lets the tenant send nothing more to the address. */
export async function insertSuppression(
  tx: Queryable,
  {
    tenantId,
    recipient,
    reason,
    detail,
  }: Record<'recipient' | 'reason', string> & {
    tenantId: number
    detail: string | null
  },
): Promise<void> {
  await tx.query(
    `insert into mail_suppression (tenant_id, recipient, reason, detail) values ($1, $2, $3, $4)
     on conflict (tenant_id, recipient) do update set reason = excluded.reason, detail = excluded.detail`,
    [tenantId, recipient, reason, detail],
  )
}

/** Lets mail to the address be sent again; tells whether it was suppressed. */
export async function deleteSuppression(
  db: Queryable,
  tenantId: number,
  recipient: string,
): Promise<boolean> {
  const { rowCount } = await db.query(
    'delete from mail_suppression where tenant_id = $1 and recipient = $2',
    [tenantId, recipient],
  )
  return rowCount === 1
}

/** Returns suppressed addresses, of one tenant or of all, by address. */
export async function selectSuppressed(
  db: Queryable,
  { tenantId, limit }: { tenantId: number | undefined; limit: number },
): Promise<SuppressionRow[]> {
  const { rows } = await db.query<SuppressionRow>(
    `select * from mail_suppression where $1::bigint is null or tenant_id = $1
     order by tenant_id, recipient limit $2`,
    [tenantId ?? null, limit],
  )
  return rows
}

/** Deletes a batch of what is known of mails longer than it is kept; returns how many went. */
export async function deleteOldDeliveries(
  db: Queryable,
  { keepMs, max }: { keepMs: number; max: number },
): Promise<number> {
  const { rowCount } = await db.query(
    `delete from mail_delivery where id in (
       select id from mail_delivery where created_at < now() - $1::bigint * interval '1 millisecond' limit $2)`,
    [keepMs, max],
  )
  return rowCount ?? 0
}
