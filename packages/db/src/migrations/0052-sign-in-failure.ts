import { type Kysely, sql } from 'kysely'

/** Failed sign-ins of an account within the hour, which one entry of the audit log tells of. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table sign_in_failure (
      account_id bigint primary key,
      window_started_at timestamptz not null default now(),
      passwords integer not null,
      codes integer not null,
      audit_id bigint
    )`.execute(db)
}
