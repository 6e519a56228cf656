import { inTransaction } from '@rookery/db'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type TestDatabase, createTestDatabase } from './test-database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

const insert = `insert into tenant (slug, name) values ($1, 'A tenant') returning slug`

async function count(slug: string): Promise<number> {
  const { rows } = await db.pool.query<{ count: number }>('select count(*) from tenant where slug like $1', [
    slug,
  ])
  return rows[0]!.count
}

test('a transaction commits what it did and returns what it returned', async () => {
  const slug = await inTransaction(db.pool, async (tx) => (await tx.query(insert, ['kept'])).rows[0].slug)
  expect(slug).toBe('kept')
  expect(await count('kept')).toBe(1)
})

test('a transaction that throws leaves nothing, and gives its connection back clean', async () => {
  const failing = inTransaction(db.pool, async (tx) => {
    await tx.query(insert, ['lost'])
    throw new Error('after all')
  })
  await expect(failing).rejects.toThrow('after all')
  expect(await count('lost')).toBe(0)
  const broken = inTransaction(db.pool, (tx) => tx.query('select no_such_column from tenant'))
  await expect(broken).rejects.toThrow('no_such_column')
  expect(await count('kept')).toBe(1)
})

test('queries that are still under way when a transaction throws are rolled back with it', async () => {
  let queries: Promise<unknown>[] = []
  const failing = inTransaction(db.pool, (tx) => {
    queries = Array.from({ length: 20 }, (_, n) => tx.query(insert, [`flying-${n}`]))
    throw new Error('before they end')
  })
  await expect(failing).rejects.toThrow('before they end')
  await Promise.allSettled(queries)
  expect(await count('flying-%')).toBe(0)
})
