import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { AccountReader } from '../src/index.ts'
import { type SeedHost, seedHost, signUp } from './seed.ts'

let db: TestDatabase
let one: SeedHost
let two: SeedHost

beforeAll(async () => {
  db = await createTestDatabase()
  one = await seedHost(db.database, 'one')
  two = await seedHost(db.database, 'two')
  for (const name of ['alice', 'bob']) await signUp(db.database, one, name)
  await signUp(db.database, two, 'carol')
})
afterAll(() => db[Symbol.asyncDispose]())

test('who asks at the same time gets the account that was meant, of the host that was meant', async () => {
  const accounts = new AccountReader(db.pool)
  const asked = [
    { hostId: one.id, did: 'did:plc:bob' },
    { hostId: two.id, did: 'did:plc:bob' },
    { hostId: one.id, did: 'did:plc:nobody' },
    { hostId: two.id, did: 'did:plc:carol' },
    { hostId: one.id, did: 'did:plc:alice' },
    { hostId: one.id, did: 'did:plc:bob' },
  ]
  const found = await Promise.all(asked.map((ref) => accounts.findByDid(ref)))
  expect(found.map((account) => account && [account.host_id, account.did, account.status])).toEqual([
    [one.id, 'did:plc:bob', 'active'],
    undefined,
    undefined,
    [two.id, 'did:plc:carol', 'active'],
    [one.id, 'did:plc:alice', 'active'],
    [one.id, 'did:plc:bob', 'active'],
  ])
  await db.pool.query(`update account set takedown_ref = 'x' where did = 'did:plc:bob'`)
  expect(await accounts.findByDid({ hostId: one.id, did: 'did:plc:bob' })).toMatchObject({
    status: 'takendown',
  })
})
