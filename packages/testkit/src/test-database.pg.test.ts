import { expect, test } from 'vitest'

import { LeakedConnectionsError, createTestDatabase } from './test-database.ts'

test('a test database has the whole schema and is nobody else’s', async () => {
  await using one = await createTestDatabase()
  await using two = await createTestDatabase()
  await one.pool.query(`insert into tenant (slug, name) values ('only-here', 'One')`)
  const { rows } = await two.pool.query<{ count: number }>('select count(*) from tenant')
  expect(rows).toEqual([{ count: 0 }])
})

test('a connection left open fails the disposal, and the database is gone all the same', async () => {
  const db = await createTestDatabase()
  const leak = db.database.client('forgotten')
  leak.on('error', () => undefined)
  await leak.connect()
  const disposed = Promise.resolve(db[Symbol.asyncDispose]())
  await expect(disposed).rejects.toThrow(LeakedConnectionsError)
  await expect(disposed).rejects.toThrow(/forgotten/)
  await expect(leak.query('select 1')).rejects.toThrow(/terminat|closed|not queryable/)
})
