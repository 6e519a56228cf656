import { type Kysely, sql } from 'kysely'

import { commitBatch } from '../functions/commit-batch.ts'

/**
 * How often access tokens of an account were ended. The repo has it as well: the statement that stores a commit compares
 * it there, in the row that it locks anyway.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table account add column session_epoch integer not null default 0`.execute(db)
  await sql`alter table repo add column session_epoch integer not null default 0`.execute(db)
  // Beside the one of before, which pods of the previous version call: it takes an argument more.
  await sql.raw(commitBatch).execute(db)
}
