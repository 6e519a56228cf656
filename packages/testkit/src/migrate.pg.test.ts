import { isSchemaReady, migrate, migrations, waitForSchema } from '@rookery/db'
import { createLogger } from '@rookery/telemetry'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { type TestDatabase, createTestDatabase } from './test-database.ts'

let db: TestDatabase

beforeEach(async () => {
  db = await createTestDatabase()
})

afterEach(() => db[Symbol.asyncDispose]())

const names = Object.keys(migrations).sort()
const [last = ''] = names.slice(-1)

/** What a version after this one might bring. */
const next = {
  ...migrations,
  '9999-next': {
    up: async (kysely: Parameters<(typeof migrations)[string]['up']>[0]) => {
      await kysely.schema.alterTable('tenant').addColumn('next', 'text').execute()
    },
  },
}

test('processes wait for a schema that is behind, and go on when it has been migrated', async () => {
  await db.pool.query('drop schema public cascade')
  await db.pool.query('create schema public')
  const behind = Object.fromEntries(Object.entries(migrations).filter(([name]) => name !== last))
  expect(await migrate(db.pool, behind)).toEqual(names.slice(0, -1))
  expect(await isSchemaReady(db.pool)).toBe(false)
  const said: unknown[] = []
  const log = createLogger('test', 'silent')
  log.warn = (text: unknown) => said.push(text)
  let hasStarted = false
  const started = waitForSchema(log, db.pool).then(() => (hasStarted = true))
  await expect.poll(() => said).toEqual(['waiting: the schema is older than this version: run `ctl migrate`'])
  expect(hasStarted).toBe(false)
  expect(await migrate(db.pool)).toEqual([last])
  await started
})

test('a schema that is ahead is ready for this version, and there is nothing to migrate', async () => {
  expect(await isSchemaReady(db.pool, next)).toBe(false)
  expect(await migrate(db.pool, next)).toEqual(['9999-next'])
  expect(await isSchemaReady(db.pool, next)).toBe(true)
  expect(await isSchemaReady(db.pool)).toBe(true)
  expect(await migrate(db.pool)).toEqual([])
})

test('a migration gives way to who waits behind it for a table that a long reader holds', async () => {
  const reader = new pg.Client({ connectionString: db.url })
  await reader.connect()
  await reader.query('begin')
  await reader.query('select from tenant')
  const migrated = migrate(db.pool, next)
  const waits = async (): Promise<boolean> => {
    const { rows } = await db.pool.query<{ count: number }>(
      `select count(*) from pg_locks where not granted and mode = 'AccessExclusiveLock'`,
    )
    return rows[0]?.count !== 0
  }
  await expect.poll(waits, { timeout: 10_000 }).toBe(true)
  // It queues behind the migration, and must not have to wait until the reader ends.
  await db.pool.query(`insert into tenant (slug, name) values ('acme', 'Acme')`)
  await reader.query('commit')
  await reader.end()
  expect(await migrated).toEqual(['9999-next'])
})
