import { type Kysely, sql } from 'kysely'

import { commitBatch } from '../functions/commit-batch.ts'

/** The function that stores commits. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(commitBatch).execute(db)
}
