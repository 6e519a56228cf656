import type { Queryable } from '@rookery/db'

import { auditDetailLengthMax } from '../limits.ts'

/** What somebody did who runs accounts. */
export type NewAuditEntry = {
  hostId: number
  /** The account that it was done to, if it was done to one; its tenant is null if it is not here. */
  did: string | null
  tenantId: number | null
  /** `admin`, `ctl`, or the DID of a moderation service. */
  actor: string
  /** The method or command that did it. */
  action: string
  /** What it was told, such as a reason; no secrets, and no addresses. Longer than `auditDetailLengthMax` it is cut. */
  detail: object
}

/** An entry of the audit log. */
export type AuditEntry = {
  id: number
  did: string | null
  actor: string
  action: string
  detail: object
  created_at: Date
}

/** Which entries to list, the latest first. */
export type AuditPage = {
  hostId: number
  /** Only those about accounts of the tenants; undefined for all. */
  tenantIds?: readonly number[] | undefined
  /** Only those about the account. */
  did?: string | undefined
  /** Only those before the entry: the last of the page before. */
  beforeId?: number | undefined
  limit: number
}

/** Adds an entry to the audit log. */
export async function appendAuditEntry(db: Queryable, entry: NewAuditEntry): Promise<void> {
  const { hostId, tenantId, did, actor, action } = entry
  const text = JSON.stringify(entry.detail)
  const isShort = text.length <= auditDetailLengthMax
  const detail = isShort ? text : JSON.stringify({ cut: text.slice(0, auditDetailLengthMax) })
  await db.query(
    `insert into audit_entry (host_id, tenant_id, did, actor, action, detail) values ($1, $2, $3, $4, $5, $6)`,
    [hostId, tenantId, did, actor, action, detail],
  )
}

/** Returns a page of the host's audit log, the latest first. */
export async function listAuditEntries(db: Queryable, page: AuditPage): Promise<AuditEntry[]> {
  const { rows } = await db.query<AuditEntry>(
    `select id, did, actor, action, detail, created_at from audit_entry
      where host_id = $1 and ($2::integer[] is null or tenant_id = any($2)) and ($3::text is null or did = $3)
        and ($4::bigint is null or id < $4)
      order by id desc limit $5`,
    [page.hostId, page.tenantIds ?? null, page.did ?? null, page.beforeId ?? null, page.limit],
  )
  return rows
}
