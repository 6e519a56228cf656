import { type Kysely, sql } from 'kysely'

/** What operators and moderation services did to accounts. It outlives the accounts, so it knows them by DID. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table audit_entry (
      host_id integer not null,
      id bigint generated always as identity,
      tenant_id integer,
      did text,
      actor text not null,
      action text not null,
      detail jsonb not null,
      created_at timestamptz not null default now(),
      primary key (host_id, id)
    )`.execute(db)
  await sql`create index audit_entry_did on audit_entry (host_id, did, id)`.execute(db)
}
