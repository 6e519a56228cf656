import type { ColumnType, Generated } from 'kysely'

import type { CreatedAt } from './tenancy.ts'

/** temporary → permanent → quarantined → deleting; what a moderator purged leaves a row that is purged. */
export type BlobState = 'temporary' | 'permanent' | 'quarantined' | 'deleting' | 'purged'

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

/** An account's running totals; purged blobs count for nothing. */
export type AccountUsageTable = {
  account_id: number
  /** Filled in from the account. */
  tenant_id: Generated<number | null>
  blob_bytes: Generated<number>
  blob_count: Generated<number>
  /** Bytes of blobs that the account may have; null: as its tenant says. */
  blob_bytes_max: number | null
}

/** A share of a tenant's running totals, which are the sums of its shares. */
export type TenantUsageTable = {
  tenant_id: number
  shard: number
  blob_bytes: Generated<number>
  blob_count: Generated<number>
}
