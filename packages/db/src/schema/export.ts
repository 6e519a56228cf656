import type { Generated } from 'kysely'

/** building → ready or failed; failed → building when it is asked for again. */
export type AccountExportState = 'building' | 'ready' | 'failed'

/** The archive that an account's owner asked for. */
export type AccountExportTable = {
  account_id: number
  host_id: number
  tenant_id: number
  id: string
  state: Generated<AccountExportState>
  requested_at: Generated<Date>
  expires_at: Date
  records_total: number | null
  blobs_total: number | null
  records_done: Generated<number>
  blobs_done: Generated<number>
  bytes_done: Generated<number>
  object_key: string | null
  size: number | null
  failure: string | null
}
