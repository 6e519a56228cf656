import { type Migrations, migrations } from '@rookery/db'
import { type Kysely, sql } from 'kysely'
import type { Pool } from 'pg'

/**
 * The migrations of a version that there might be one day: it adds a column to every table, one table a migration as
 * migrations of busy tables must, and then a table, an index and a new version of the function that commits.
 */
export async function nextMigrations(pool: Pool): Promise<{ next: Migrations; tables: string[] }> {
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
     and not relispartition and relname not like 'kysely%' order by relname`,
  )
  const tables = rows.map(({ name }) => name)
  const columns = tables.map((table) => [
    `9000-${table}`,
    { up: (db: Kysely<unknown>) => run(db, `alter table ${table} add column of_next_version text`) },
  ])
  const others = async (db: Kysely<unknown>): Promise<void> => {
    await run(db, 'create table next_thing (id bigint primary key, name text not null)')
    await run(db, 'create index next_thing_name on next_thing (name)')
    await run(db, `create index tenant_of_next_version on tenant (of_next_version)`)
    const { rows: functions } = await sql<{ definition: string }>`
      select pg_get_functiondef(oid) as definition from pg_proc
      where proname in ('commit_batch', 'number_events')`.execute(db)
    for (const { definition } of functions) await run(db, definition)
  }
  return { next: { ...migrations, ...Object.fromEntries(columns), '9001-others': { up: others } }, tables }
}

async function run(db: Kysely<unknown>, text: string): Promise<void> {
  await sql.raw(text).execute(db)
}
