import { type SchemaMigration, isSchemaReady, migrate, migrations, waitForSchema } from '@rookery/db'
import { createLogger } from '@rookery/telemetry'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { type TestDatabase, createTestDatabase } from './test-database.ts'

type Schema = Parameters<Extract<SchemaMigration, { up: unknown }>['up']>[0]

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
    up: async (kysely: Schema) => {
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

describe('an index of a table that is in use', () => {
  const index = { name: 'by_updated', table: 'tenant', on: '(name)' }
  const withIndex = { ...migrations, '9999-index': { index } }

  /** Returns the indexes of that name, and whether they can be used. */
  async function found(like: string): Promise<[string, boolean][]> {
    const { rows } = await db.pool.query<{ name: string; isValid: boolean }>(
      `select indexrelid::regclass::text as name, indisvalid as "isValid" from pg_index
       where indexrelid::regclass::text like $1 order by 1`,
      [like],
    )
    return rows.map(({ name, isValid }) => [name, isValid])
  }

  test('is built while others write, once, whoever migrates', async () => {
    const writer = new pg.Client({ connectionString: db.url })
    await writer.connect()
    await writer.query(`begin; insert into tenant (slug, name) values ('before', 'Before')`)
    const migrated = Promise.all([migrate(db.pool, withIndex), migrate(db.pool, withIndex)])
    const isBuilding = async (): Promise<number> =>
      (await db.pool.query('select from pg_stat_progress_create_index')).rowCount ?? 0
    await expect.poll(isBuilding, { timeout: 10_000 }).toBe(1)
    // The build waits for the open transaction, and nobody for the build.
    await db.pool.query(`insert into tenant (slug, name) values ('acme', 'Acme')`)
    await writer.query('commit')
    await writer.end()
    expect((await migrated).flat()).toEqual(['9999-index'])
    expect(await found('by_updated')).toEqual([['by_updated', true]])
    expect(await migrate(db.pool, withIndex)).toEqual([])
  })

  test('that failed half-way is dropped and built anew', async () => {
    for (const slug of ['a', 'b'])
      await db.pool.query(`insert into tenant (slug, name) values ($1, 'Same')`, [slug])
    const unique = { ...migrations, '9999-index': { index: { ...index, isUnique: true } } }
    await expect(migrate(db.pool, unique)).rejects.toThrow('could not create unique index')
    expect(await found('by_updated')).toEqual([['by_updated', false]])
    await db.pool.query(`update tenant set name = slug`)
    expect(await migrate(db.pool, unique)).toEqual(['9999-index'])
    expect(await found('by_updated')).toEqual([['by_updated', true]])
  })

  test('is built partition by partition, and goes on where it was broken off', async () => {
    const ofRecords = { name: 'by_rev', table: 'record', on: '(account_id, rev)' }
    const { rows } = await db.pool.query<{ name: string }>(
      `select relid::regclass::text as name from pg_partition_tree('record') where isleaf order by 1`,
    )
    const leaves = rows.map(({ name }) => name)
    expect(leaves.length).toBeGreaterThan(1)
    await db.pool.query(`create index ${leaves[0]}_by_rev on ${leaves[0]} (account_id, rev)`)
    await db.pool.query('create index by_rev on only record (account_id, rev)')
    expect(await migrate(db.pool, { ...migrations, '9999-index': { index: ofRecords } })).toEqual([
      '9999-index',
    ])
    expect(await found('%by_rev')).toEqual(
      ['by_rev', ...leaves.map((leaf) => `${leaf}_by_rev`)].sort().map((name) => [name, true]),
    )
  })
})
