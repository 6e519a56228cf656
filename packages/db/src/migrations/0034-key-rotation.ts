import { type Kysely, sql } from 'kysely'

/**
 * Keys follow one another. `version` counts an account's signing keys and `repo.key_version` is that of the key that
 * signs after the head: whoever has an older key in memory learns of it from the head that it must read anyway.
 * `next_*` is the key that is to follow, stored before anybody is told of it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table signing_key add column version integer not null default 0,
      add column next_did_key text, add column next_wrapped bytea`.execute(db)
  await sql`alter table repo add column key_version integer not null default 0`.execute(db)
}
