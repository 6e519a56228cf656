import { type Kysely, sql } from 'kysely'

/** How far a long job has come, for people who look: nothing depends on it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table job_outbox add column progress jsonb`.execute(db)
}
