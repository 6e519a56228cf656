import type pg from 'pg'

import type { Queryable } from './database.ts'

/**
 * Declares a named prepared statement, planned once per connection: for the hot paths, where Kysely costs twice.
 *
 * @example
 * const findHead = statement<{ head: Buffer }>('find_head', 'select head from repo where account_id = $1')
 * const { rows } = await findHead(pool, [accountId])
 */
export function statement<Row extends pg.QueryResultRow>(
  name: string,
  text: string,
): (db: Queryable, values: readonly unknown[]) => Promise<pg.QueryResult<Row>> {
  return (db, values) => db.query<Row>({ name, text, values: values as unknown[] })
}
