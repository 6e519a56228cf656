import { Kysely, PostgresDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import type pg from 'pg'

import { migrations } from './migrations/index.ts'

/** A migration and when it was applied, if it was. */
export type MigrationStatus = { name: string; appliedAt: Date | undefined }

/**
 * Applies every migration that is missing, oldest first, under a lock that two callers share.
 *
 * @returns the names of those it applied.
 */
export async function migrate(pool: pg.Pool): Promise<string[]> {
  const { error, results = [] } = await migrator(pool).migrateToLatest()
  if (error !== undefined) throw error
  return results.map(({ migrationName }) => migrationName)
}

/** Returns every migration, oldest first, with the time it was applied. */
export async function migrationStatus(pool: pg.Pool): Promise<MigrationStatus[]> {
  const all = await migrator(pool).getMigrations()
  return all.map(({ name, executedAt }) => ({ name, appliedAt: executedAt }))
}

/** Tells whether the schema has everything that this version needs; a newer one is fine. */
export async function isSchemaReady(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ ready: boolean }>(
    `select to_regclass('kysely_migration') is not null as ready`,
  )
  if (rows[0]?.ready !== true) return false
  const applied = await pool.query<{ name: string }>('select name from kysely_migration')
  const names = new Set(applied.rows.map(({ name }) => name))
  return Object.keys(migrations).every((name) => names.has(name))
}

function migrator(pool: pg.Pool): Migrator {
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  return new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
    // Each only adds, so one that lands after a later one may be applied after it.
    allowUnorderedMigrations: true,
  })
}
