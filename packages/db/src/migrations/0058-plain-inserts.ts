import { type Kysely, sql } from 'kysely'

import { commitBatch } from '../functions/commit-batch.ts'

/** New records are inserted without looking for older ones, which the compared head rules out. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(commitBatch).execute(db)
}
