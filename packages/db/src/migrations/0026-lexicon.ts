import { type Kysely, sql } from 'kysely'

/**
 * Lexicons that were looked up on the network, for all hosts: whoever asks gets the same. A row without a document
 * says that there was none.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table lexicon (
      nsid text primary key,
      uri text,
      cid text,
      document text,
      fetched_at timestamptz not null default now(),
      checked_at timestamptz not null default now()
    )`.execute(db)
  await sql`create index lexicon_checked_at on lexicon (checked_at)`.execute(db)
}
