import { type Kysely, sql } from 'kysely'

/** What accounts prefer in apps. `json` keeps the text as it came. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table preference (
      account_id bigint not null,
      position integer not null,
      full_access_only boolean not null,
      value json not null,
      primary key (account_id, position)
    )`.execute(db)
}
