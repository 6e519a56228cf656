import type { Generated } from 'kysely'

import type { CreatedAt } from './tenancy.ts'

/** What became of a mail; @rookery/mail says what each means. */
export type MailDeliveryState =
  | 'queued'
  | 'retrying'
  | 'sent'
  | 'failed'
  | 'dropped'
  | 'suppressed'
  | 'limited'
  | 'bounced'
  | 'complained'

/** A mail to somebody. */
export type MailDeliveryTable = {
  id: Generated<number>
  host_id: number
  tenant_id: number
  account_id: number | null
  job_id: number | null
  template: string
  /** Lower case. */
  recipient: string
  sender: string | null
  state: Generated<MailDeliveryState>
  message_id: string | null
  attempts: Generated<number>
  error: string | null
  created_at: CreatedAt
  updated_at: Generated<Date>
}

/** An address that a tenant sends nothing to. */
export type MailSuppressionTable = {
  tenant_id: number
  recipient: string
  reason: 'bounce' | 'complaint'
  detail: string | null
  created_at: CreatedAt
}
