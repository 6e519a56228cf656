import { type Kysely, sql } from 'kysely'

/** OAuth: browsers that signed in, requests under way, clients that accounts trust, and tokens. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createDevices(db)
  await createRequests(db)
  await createTokens(db)
}

async function createDevices(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table oauth_device (
      host_id integer not null,
      id text not null,
      session_id text not null,
      user_agent text,
      ip_address text not null,
      last_seen_at timestamptz not null,
      primary key (host_id, id)
    )`.execute(db)
  await sql`create index oauth_device_last_seen on oauth_device (last_seen_at)`.execute(db)
  await sql`
    create table oauth_device_account (
      host_id integer not null,
      device_id text not null,
      account_id bigint not null,
      created_at timestamptz not null default now(),
      authenticated_at timestamptz not null default now(),
      primary key (host_id, device_id, account_id)
    )`.execute(db)
  await sql`create index oauth_device_account_account on oauth_device_account (account_id)`.execute(db)
}

async function createRequests(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table oauth_request (
      host_id integer not null,
      id text not null,
      account_id bigint,
      device_id text,
      client_id text not null,
      client_auth jsonb,
      parameters jsonb not null,
      code_hash bytea,
      expires_at timestamptz not null,
      primary key (host_id, id)
    )`.execute(db)
  await sql`
    create unique index oauth_request_code on oauth_request (host_id, code_hash) where code_hash is not null`.execute(
    db,
  )
  await sql`create index oauth_request_expires on oauth_request (expires_at)`.execute(db)
  await sql`
    create table oauth_grant (
      account_id bigint not null,
      client_id text not null,
      scopes text[] not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (account_id, client_id)
    )`.execute(db)
}

async function createTokens(db: Kysely<unknown>): Promise<void> {
  // `chain` stays while the token's id and refresh token change with each refresh.
  await sql`
    create table oauth_token (
      host_id integer not null,
      account_id bigint not null,
      chain bigint generated always as identity,
      id text not null,
      client_id text not null,
      client_auth jsonb not null,
      device_id text,
      parameters jsonb not null,
      scope text not null,
      code_hash bytea,
      refresh_hash bytea,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      expires_at timestamptz not null,
      primary key (host_id, id)
    )`.execute(db)
  await sql`create index oauth_token_account on oauth_token (account_id)`.execute(db)
  await sql`create index oauth_token_updated on oauth_token (updated_at)`.execute(db)
  await sql`
    create unique index oauth_token_refresh on oauth_token (host_id, refresh_hash) where refresh_hash is not null`.execute(
    db,
  )
  await sql`
    create unique index oauth_token_code on oauth_token (host_id, code_hash) where code_hash is not null`.execute(
    db,
  )
  await sql`
    create table oauth_used_refresh_token (
      host_id integer not null,
      refresh_hash bytea not null,
      chain bigint not null,
      used_at timestamptz not null default now(),
      primary key (host_id, refresh_hash)
    )`.execute(db)
  await sql`create index oauth_used_refresh_token_chain on oauth_used_refresh_token (chain)`.execute(db)
  await sql`create index oauth_used_refresh_token_used on oauth_used_refresh_token (used_at)`.execute(db)
}
