import { type Kysely, sql } from 'kysely'

/** Refresh tokens, mailed tokens and invites. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // One row per refresh token; next_id is its successor once it was rotated, so that a retry gets the same one.
  await sql`
    create table refresh_token (
      account_id bigint not null,
      id text not null,
      next_id text,
      app_password_name text,
      created_at timestamptz not null default now(),
      expires_at timestamptz not null,
      primary key (account_id, id)
    ) partition by hash (account_id)`.execute(db)
  for (let n = 0; n < 4; n++) {
    await sql
      .raw(
        `create table refresh_token_${n} partition of refresh_token for values with (modulus 4, remainder ${n})`,
      )
      .execute(db)
  }
  await sql`
    create table email_token (
      account_id bigint not null,
      purpose text not null check (purpose in
        ('confirm_email', 'update_email', 'reset_password', 'delete_account', 'plc_operation')),
      token_hash bytea not null,
      failed_attempts integer not null default 0,
      requested_at timestamptz not null default now(),
      primary key (account_id, purpose)
    )`.execute(db)
  await sql`create index email_token_hash on email_token (purpose, token_hash)`.execute(db)
  await sql`
    create table invite_code (
      host_id integer not null,
      code text not null,
      tenant_id integer not null references tenant (id),
      available_uses integer not null,
      disabled boolean not null default false,
      for_account text not null,
      created_by text not null,
      created_at timestamptz not null default now(),
      primary key (host_id, code)
    )`.execute(db)
  await sql`
    create table invite_code_use (
      host_id integer not null,
      code text not null,
      used_by text not null,
      used_at timestamptz not null default now(),
      primary key (host_id, code, used_by)
    )`.execute(db)
}
