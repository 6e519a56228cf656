import { type Kysely, sql } from 'kysely'

import { numberEvents } from '../functions/number-events.ts'

/**
 * Numbers events without gathering their frames three times over: what it does and returns is as before, so leaders
 * of either version may call it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(numberEvents).execute(db)
}
