import { type Kysely, sql } from 'kysely'

/** Why an account may not invite, and how an operator and an account find invite codes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table account add column invite_note text`.execute(db)
  await sql`create index invite_code_recent on invite_code (host_id, created_at desc, code desc)`.execute(db)
  await sql`create index invite_code_owner on invite_code (host_id, for_account)`.execute(db)
  await sql`create index invite_code_use_by on invite_code_use (host_id, used_by)`.execute(db)
}
