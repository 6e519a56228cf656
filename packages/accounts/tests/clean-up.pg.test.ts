import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { deleteExpiredTokens } from '../src/clean-up-queries.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

test('deletes tokens and claims whose time is over, and no others', async () => {
  await db.pool.query(
    `insert into refresh_token (account_id, id, expires_at)
     values (1, 'old', now() - interval '1 second'), (1, 'new', now() + interval '1 hour')`,
  )
  await db.pool.query(
    `insert into email_token (account_id, purpose, token_hash, requested_at)
     values (1, 'confirm_email', '', now() - interval '25 hours'),
            (1, 'update_email', '', now() - interval '23 hours')`,
  )
  await db.pool.query(
    `insert into account_claim (host_id, did, handle, expires_at)
     values (1, 'did:plc:old', 'old.test', now()), (1, 'did:plc:new', 'new.test', now() + interval '1 minute')`,
  )
  expect(await deleteExpiredTokens(db.pool)).toBe(3)
  expect(await deleteExpiredTokens(db.pool)).toBe(0)
  const { rows } = await db.pool.query<{ left: string }>(
    `select id as left from refresh_token union all select purpose from email_token union all select did from account_claim`,
  )
  expect(rows.map(({ left }) => left)).toEqual(['new', 'update_email', 'did:plc:new'])
})
