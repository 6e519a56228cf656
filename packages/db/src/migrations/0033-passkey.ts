import { type Kysely, sql } from 'kysely'

/** Passkeys, their challenges that were answered, and the browsers that an account signed in with. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table passkey (
      account_id bigint not null,
      credential_id text not null,
      host_id integer not null,
      public_key bytea not null,
      counter bigint not null,
      transports text[] not null,
      name text not null,
      created_at timestamptz not null default now(),
      last_used_at timestamptz,
      primary key (account_id, credential_id)
    )`.execute(db)
  // Who signs in with a passkey names no account.
  await sql`create unique index passkey_credential on passkey (host_id, credential_id)`.execute(db)
  await sql`
    create table passkey_challenge (
      host_id integer not null,
      challenge_hash bytea not null,
      expires_at timestamptz not null,
      primary key (host_id, challenge_hash)
    )`.execute(db)
  await sql`create index passkey_challenge_expires on passkey_challenge (expires_at)`.execute(db)
  // A browser stays known when somebody signs out of it. No second factor is asked for until trusted_until.
  await sql`
    create table known_device (
      account_id bigint not null,
      device_id text not null,
      first_seen_at timestamptz not null default now(),
      last_seen_at timestamptz not null default now(),
      trusted_until timestamptz,
      primary key (account_id, device_id)
    )`.execute(db)
}
