import { type Kysely, sql } from 'kysely'

import { commitBatch } from '../functions/commit-batch.ts'

/**
 * A batch of commits locks its repos by one statement. PostgreSQL parses a check constraint anew for each partition
 * in each statement, so the tables of the write path have none: the functions that write them name their kinds and
 * states, and the types of the callers are the same lists.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(commitBatch).execute(db)
  await sql`alter table event_queue drop constraint event_queue_kind_check`.execute(db)
  await sql`alter table pack drop constraint pack_kind_check`.execute(db)
  await sql`alter table repo drop constraint repo_status_check`.execute(db)
}
