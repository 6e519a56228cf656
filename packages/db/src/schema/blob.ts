import type { ColumnType, Generated } from 'kysely'

import type { CreatedAt } from './tenancy.ts'

/** temporary → permanent → quarantined → deleting. */
export type BlobState = 'temporary' | 'permanent' | 'quarantined' | 'deleting'

/** A blob of an account and the object that holds its bytes. */
export type BlobTable = {
  account_id: number
  cid: Buffer
  object_key: string
  mime_type: string
  size: number
  state: Generated<BlobState>
  ref_count: Generated<number>
  takedown_ref: string | null
  created_at: CreatedAt
  unreferenced_at: ColumnType<Date | null, Date | null | undefined, Date | null>
}

/** A record's reference to a blob. */
export type BlobRefTable = {
  account_id: number
  collection: string
  rkey: string
  cid: Buffer
  rev: string
}

/** An account's running totals. */
export type AccountUsageTable = {
  account_id: number
  blob_bytes: Generated<number>
  blob_count: Generated<number>
}
