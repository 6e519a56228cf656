import type { ColumnType, Generated } from 'kysely'

import type { CreatedAt } from './tenancy.ts'

/** open: to be run; done: finished with a result that somebody waits for; dead: given up, for an operator. */
export type JobState = 'open' | 'done' | 'dead'

/** A job that was not finished yet, was given up, or whose result is waited for. */
export type JobOutboxTable = {
  id: Generated<number>
  queue: string
  payload: ColumnType<unknown, string, string>
  dedupe_key: string | null
  state: Generated<JobState>
  requests: Generated<number>
  attempts: Generated<number>
  run_at: ColumnType<Date, Date | undefined, Date>
  relayed_at: Date | null
  locked_by: string | null
  locked_until: Date | null
  keep_result: Generated<boolean>
  result: ColumnType<unknown, string | null | undefined, string | null>
  error: string | null
  error_code: string | null
  progress: ColumnType<unknown, string | null | undefined, string | null>
  created_at: CreatedAt
  finished_at: Date | null
}

/** When a repeated task last ran. */
export type JobScheduleTable = {
  name: string
  last_run_at: Date
}
