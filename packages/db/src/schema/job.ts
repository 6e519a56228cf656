import type { ColumnType, Generated } from 'kysely'

import type { CreatedAt } from './tenancy.ts'

/** A job that is due or was not finished yet. */
export type JobOutboxTable = {
  id: Generated<number>
  queue: string
  payload: ColumnType<unknown, string, never>
  dedupe_key: string | null
  run_at: ColumnType<Date, Date | undefined, Date>
  relayed_at: Date | null
  created_at: CreatedAt
}
