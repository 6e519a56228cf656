import type { ColumnType, Generated } from 'kysely'

/** Precedence: takendown, suspended, deactivated, active. */
export type AccountStatus = 'active' | 'deactivated' | 'suspended' | 'takendown'

/** The head of an account's repo. */
export type RepoTable = {
  account_id: number
  host_id: number
  did: string
  status: Generated<AccountStatus>
  /** The account's. */
  session_epoch: Generated<number>
  rev: string
  head: Buffer
  data: Buffer
  commit: Buffer
  base_rev: string | null
  base_bytes: Generated<number>
  delta_bytes: Generated<number>
  delta_count: Generated<number>
  /** Version of the key that signs what follows the head. */
  key_version: Generated<number>
  updated_at: ColumnType<Date, Date | undefined, Date>
}

/** A record with its bytes. */
export type RecordTable = {
  account_id: number
  collection: string
  rkey: string
  cid: Buffer
  rev: string
  takedown_ref: string | null
  /** Eight bytes of the SHA-256 of what the record is about, for the few collections that allow one each. */
  link: Buffer | null
  bytes: Buffer
}

/** Tree nodes: what one commit made, or a compacted base. */
export type PackTable = {
  account_id: number
  rev: string
  chunk: Generated<number>
  kind: 'delta' | 'base'
  bytes: Buffer
}
