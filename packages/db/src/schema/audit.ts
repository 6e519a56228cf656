import type { ColumnType, Generated } from 'kysely'

import type { CreatedAt } from './tenancy.ts'

/** What went wrong with signing in to an account since `window_started_at`; the audit entry is made of it. */
export type SignInFailureTable = {
  account_id: number
  window_started_at: ColumnType<Date, Date | undefined, Date>
  passwords: number
  codes: number
  audit_id: number | null
}

/** One thing that an operator or a moderation service did. */
export type AuditEntryTable = {
  host_id: number
  id: Generated<number>
  /** Null where no account is concerned, or none that is here. */
  tenant_id: number | null
  did: string | null
  actor: string
  action: string
  detail: object
  created_at: CreatedAt
}
