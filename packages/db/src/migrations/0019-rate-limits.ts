import { type Kysely, sql } from 'kysely'

/** Rate limits of a host that differ from the cluster's. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table host add column rate_limits jsonb not null default '{}'`.execute(db)
}
