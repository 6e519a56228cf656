import { type Kysely, sql } from 'kysely'

/** Codes of apps that somebody has shown: whoever shows one again ends what it began, or is about to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table oauth_spent_code (
      host_id integer not null,
      code_hash bytea not null,
      is_replayed boolean not null default false,
      spent_at timestamptz not null default now(),
      primary key (host_id, code_hash)
    )`.execute(db)
  await sql`create index oauth_spent_code_spent on oauth_spent_code (spent_at)`.execute(db)
}
