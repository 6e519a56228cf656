import { type Kysely, sql } from 'kysely'

/** Archives that owners asked for, one of an account at a time. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table account_export (
      account_id bigint primary key,
      host_id integer not null,
      tenant_id integer not null,
      id text not null,
      state text not null default 'building' check (state in ('building', 'ready', 'failed')),
      requested_at timestamptz not null default now(),
      expires_at timestamptz not null,
      records_total bigint,
      blobs_total bigint,
      records_done bigint not null default 0,
      blobs_done bigint not null default 0,
      bytes_done bigint not null default 0,
      object_key text,
      size bigint,
      failure text
    )`.execute(db)
  await sql`create index account_export_expires on account_export (expires_at)`.execute(db)
  await sql`create index account_export_object on account_export (host_id, object_key)`.execute(db)
}
