import { type Kysely, sql } from 'kysely'

/** Whether a browser was to stay signed in, and since when it is trusted: a tenant's policy counts from then. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table oauth_device_account add column is_kept boolean not null default true`.execute(db)
  await sql`create index oauth_device_account_brief on oauth_device_account (authenticated_at) where not is_kept`.execute(
    db,
  )
  await sql`alter table known_device add column trusted_at timestamptz`.execute(db)
}
