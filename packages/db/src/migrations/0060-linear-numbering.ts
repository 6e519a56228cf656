import { type Kysely, sql } from 'kysely'

import { numberEvents } from '../functions/number-events.ts'

/** Numbering looks each event up instead of comparing all of a round with all ids of the round. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(numberEvents).execute(db)
}
