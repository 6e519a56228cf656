import { type Kysely, sql } from 'kysely'

/** The secret with which a tenant's captchas are verified, wrapped. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table tenant add column captcha_secret bytea`.execute(db)
}
