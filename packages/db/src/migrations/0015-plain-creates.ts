import { type Kysely, sql } from 'kysely'

import { commitBatch } from '../functions/commit-batch.ts'

/** Batches without blobs, updates and deletes skip the statements for them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(commitBatch).execute(db)
}
