import { type Kysely, sql } from 'kysely'

/** Passwords that an account makes for its apps, each with a name. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table app_password (
      account_id bigint not null,
      name text not null,
      password_hash bytea not null,
      privileged boolean not null,
      created_at timestamptz not null default now(),
      primary key (account_id, name),
      unique (account_id, password_hash)
    )`.execute(db)
}
