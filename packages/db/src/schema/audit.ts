import type { Generated } from 'kysely'

import type { CreatedAt } from './tenancy.ts'

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
