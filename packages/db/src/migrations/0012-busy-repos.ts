import { type Kysely, sql } from 'kysely'

import { commitBatch } from '../functions/commit-batch.ts'

/** Commits no longer wait for a repo that is held, and small packs and records stay in their rows. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(commitBatch).execute(db)
  // Past 2 KB PostgreSQL would cut a value into rows of its side table, each with an index entry of its own.
  const { rows } = await sql<{ name: string }>`
    select inhrelid::regclass::text as name from pg_inherits
    where inhparent in ('record'::regclass, 'pack'::regclass)`.execute(db)
  for (const { name } of rows) {
    await sql.raw(`alter table ${name} set (toast_tuple_target = 8160)`).execute(db)
  }
}
