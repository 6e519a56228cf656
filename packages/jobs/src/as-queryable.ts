import type { Db, Queryable, Tx } from '@rookery/db'
import { CompiledQuery } from 'kysely'

/** Returns what runs statements on the same connection or pool, whether that is Kysely's or pg's. */
export function asQueryable(db: Db | Tx | Queryable): Queryable {
  if (!('executeQuery' in db)) return db
  const query = async (statement: { text: string; values: unknown[] }): Promise<{ rows: unknown[] }> => {
    const { rows } = await db.executeQuery(CompiledQuery.raw(statement.text, statement.values))
    return { rows }
  }
  return { query } as unknown as Queryable
}
