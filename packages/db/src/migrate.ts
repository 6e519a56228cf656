import { setTimeout as sleep } from 'node:timers/promises'

import { Kysely, PostgresDialect, sql } from 'kysely'
import { type Migration, type MigrationResultSet, Migrator } from 'kysely/migration'
import type pg from 'pg'

import { type ConcurrentIndex, buildIndex } from './concurrent-index.ts'
import { migrations } from './migrations/index.ts'

/** How long a migration waits for a lock, and with it all who come after it, in milliseconds. */
const migrationLockMsMax = 1_000

/** How often a lock is tried for, and the pause in between, in milliseconds: longer than most exports run. */
const lockTriesMax = 100
const lockPauseMs = 2_000

/** A migration and when it was applied, if it was. */
export type MigrationStatus = { name: string; appliedAt: Date | undefined }

/** A step of the schema: in a transaction of its own, or an index that is built beside all others' work. */
export type SchemaMigration = Pick<Migration, 'up'> | { index: ConcurrentIndex }

/** Migrations by name; they are applied in the order of their names. */
export type Migrations = Readonly<Record<string, SchemaMigration>>

/**
 * Applies every migration that is missing, oldest first, each in a transaction of its own, under a lock that two
 * callers share. Processes may serve meanwhile: a migration that cannot get a lock within `migrationLockMsMax` gives up
 * those that it has, so that nobody queues behind it for longer, and is tried again. An index is built outside of a
 * transaction, and noted when it is there: broken off anywhere, the next call goes on with it.
 *
 * @param all the migrations of this version; only tests pass others.
 * @returns the names of those it applied.
 * @throws {Error} what PostgreSQL refused, or that a lock was not to be had in `lockTriesMax` tries.
 */
export async function migrate(pool: pg.Pool, all: Migrations = migrations): Promise<string[]> {
  const own = await migrator(pool, all)
  const applied: string[] = []
  for (let tries = 1; ;) {
    const { error, results = [] } = await step(pool, own, all)
    if (error === undefined) {
      if (results.length === 0) return applied
      applied.push(...results.map(({ migrationName }) => migrationName))
      tries = 1
    } else if (isLockTimeout(error) && tries++ < lockTriesMax) {
      await sleep(lockPauseMs)
    } else throw error
  }
}

/** Applies the first migration that is missing. */
async function step(pool: pg.Pool, own: Migrator, all: Migrations): Promise<MigrationResultSet> {
  const next = (await own.getMigrations()).find(({ executedAt }) => executedAt === undefined)
  const migration = next && all[next.name]
  try {
    if (migration !== undefined && 'index' in migration) await buildIndex(pool, migration.index)
  } catch (error) {
    return { error }
  }
  return own.migrateUp()
}

/** Returns every migration, oldest first, with the time it was applied. */
export async function migrationStatus(pool: pg.Pool): Promise<MigrationStatus[]> {
  const all = await (await migrator(pool)).getMigrations()
  return all.map(({ name, executedAt }) => ({ name, appliedAt: executedAt }))
}

/** Tells whether the schema has everything that this version needs; a newer one is fine. */
export async function isSchemaReady(pool: pg.Pool, all: Migrations = migrations): Promise<boolean> {
  const applied = new Set(await appliedNames(pool))
  return Object.keys(all).every((name) => applied.has(name))
}

async function appliedNames(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ is_there: boolean }>(
    `select to_regclass('kysely_migration') is not null as is_there`,
  )
  if (rows[0]?.is_there !== true) return []
  const applied = await pool.query<{ name: string }>('select name from kysely_migration')
  return applied.rows.map(({ name }) => name)
}

async function migrator(pool: pg.Pool, all: Migrations = migrations): Promise<Migrator> {
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  // Looked up beforehand: a migrator holds a connection while it asks its provider, and the pool may have one only.
  const known = { ...(await newerMigrations(pool, all)), ...careful(all) }
  return new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(known) },
    // Each only adds, so one that lands after a later one may be applied after it.
    allowUnorderedMigrations: true,
  })
}

/** Those that a newer version has applied: there is nothing to do about them, and this version runs on them. */
async function newerMigrations(pool: pg.Pool, all: Migrations): Promise<Record<string, Migration>> {
  const applied = await appliedNames(pool)
  const newer = applied.filter((name) => !(name in all))
  return Object.fromEntries(newer.map((name) => [name, { up: () => Promise.resolve() }]))
}

/** Waits briefly for locks and works as long as it takes: to fill a column may take longer than any request. */
function careful(all: Migrations): Record<string, Migration> {
  return Object.fromEntries(
    Object.entries(all).map(([name, migration]) => [
      name,
      {
        up: async (db: Kysely<unknown>) => {
          await sql`set local lock_timeout = ${sql.lit(migrationLockMsMax)}`.execute(db)
          await sql`set local statement_timeout = 0`.execute(db)
          if ('up' in migration) await migration.up(db)
        },
      },
    ]),
  )
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '55P03'
}
