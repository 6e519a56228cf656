import { type Kysely, sql } from 'kysely'

/** Accounts that move here, with the session with their old server, sealed, until they are at home. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table account_move (
      account_id bigint primary key,
      host_id integer not null,
      pds_url text not null,
      wrapped bytea not null,
      state text not null default 'fetching' check (state in ('fetching', 'fetched', 'failed')),
      is_repo_done boolean not null default false,
      blobs_done bigint not null default 0,
      blobs_failed bigint not null default 0,
      failure text,
      expires_at timestamptz not null
    )`.execute(db)
  await sql`create index account_move_expires on account_move (expires_at)`.execute(db)
}
