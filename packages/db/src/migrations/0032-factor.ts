import { type Kysely, sql } from 'kysely'

/** What an account shows besides its password when it signs in: codes of an authenticator, by mail, or from a list. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table account add column email_auth_factor boolean not null default false`.execute(db)
  await sql`alter table email_token drop constraint email_token_purpose_check`.execute(db)
  await sql`
    alter table email_token add constraint email_token_purpose_check check (purpose in
      ('confirm_email', 'update_email', 'reset_password', 'delete_account', 'plc_operation', 'sign_in'))`.execute(
    db,
  )
  // No factor until confirmed_at is set. last_step is the latest time step whose code was used: none is good twice.
  await sql`
    create table totp (
      account_id bigint primary key,
      wrapped bytea not null,
      last_step bigint not null default 0,
      failures integer not null default 0,
      refused_until timestamptz,
      created_at timestamptz not null default now(),
      confirmed_at timestamptz
    )`.execute(db)
  await sql`
    create table recovery_code (
      account_id bigint not null,
      code_hash bytea not null,
      created_at timestamptz not null default now(),
      primary key (account_id, code_hash)
    )`.execute(db)
}
