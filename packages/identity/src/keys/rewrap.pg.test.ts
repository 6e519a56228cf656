import { randomBytes } from 'node:crypto'

import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { afterAll, beforeEach, expect, test } from 'vitest'

import { KeyWrapper } from './key-wrapper.ts'
import { countWrapped, rewrapSecrets } from './rewrap.ts'
import { SigningKeys } from './signing-keys.ts'

const [old, current] = [randomBytes(32), randomBytes(32)]
const before = new KeyWrapper([old])
const during = new KeyWrapper([current, old])
const after = new KeyWrapper([current])

let db: TestDatabase
const hostId = 1
beforeEach(async () => {
  await db?.[Symbol.asyncDispose]()
  db = await createTestDatabase()
  await db.pool.query(`insert into tenant (slug, name) values ('acme', 'Acme')`)
  await db.pool.query(
    `insert into host (hostname, public_url, service_did, default_tenant_id) values ('h', 'u', 'did:web:h', 1)`,
  )
})
afterAll(() => db[Symbol.asyncDispose]())

function keysWith(wrapper: KeyWrapper): SigningKeys {
  return new SigningKeys({ db: db.database, wrapper })
}

async function addAccount(name: string): Promise<{ id: number; did: string; didKey: string }> {
  const did = `did:plc:${name}`
  const { rows } = await db.pool.query<{ id: number }>(
    `insert into account (host_id, tenant_id, did, handle) values ($1, 1, $2, $3) returning id`,
    [hostId, did, `${name}.pds.example`],
  )
  const made = keysWith(before).create()
  const id = rows[0]?.id ?? 0
  await made.store(db.pool, { id, did })
  return { id, did, didKey: made.signer.didKey }
}

const options = (isDryRun = false) => ({ isDryRun, onProgress: () => {} })

// SPEC CR-4
test('every secret moves to the current key, and only then the old one can go', async () => {
  const accounts = [await addAccount('a'), await addAccount('b'), await addAccount('c')]
  const next = await keysWith(before).beginRotation(accounts[0]!)
  const reserved = await keysWith(before).reserve(hostId, 'did:plc:new')
  expect(await countWrapped(db.pool, during)).toMatchObject([
    { secrets: 'signing keys', key: 'previous', count: 3 },
    { secrets: 'next signing keys', key: 'previous', count: 1 },
    { secrets: 'reserved keys', key: 'previous', count: 1 },
  ])
  expect(await countWrapped(db.pool, after)).toContainEqual(expect.objectContaining({ key: 'unknown' }))

  expect(await rewrapSecrets(db.pool, during, options(true))).toEqual({ rewrapped: 5, failed: [] })
  await expect(keysWith(after).signerFor(accounts[0]!)).rejects.toThrow('not configured')
  expect(await rewrapSecrets(db.pool, during, options())).toEqual({ rewrapped: 5, failed: [] })
  expect(await rewrapSecrets(db.pool, during, options())).toEqual({ rewrapped: 0, failed: [] })

  for (const { didKey, ...account } of accounts) {
    expect((await keysWith(after).signerFor(account)).didKey).toBe(didKey)
  }
  expect((await keysWith(after).beginRotation(accounts[0]!)).didKey).toBe(next.didKey)
  const taken = await keysWith(after).takeReserved({ hostId, did: 'did:plc:new' })
  expect(taken.signer.didKey).toBe(reserved)
  expect((await countWrapped(db.pool, after)).map(({ key }) => key)).toEqual([
    'current',
    'current',
    'current',
  ])
})

test('a secret that is not what it should be stays as it is, and is named', async () => {
  const [a, b, c] = [await addAccount('a'), await addAccount('b'), await addAccount('c')]
  await db.pool.query(`update signing_key set did_key = 'did:key:zOther' where account_id = $1`, [a.id])
  await db.pool.query(
    `update signing_key set wrapped = (select wrapped from signing_key where account_id = $2) where account_id = $1`,
    [b.id, c.id],
  )
  const { rewrapped, failed } = await rewrapSecrets(db.pool, during, options())
  expect(rewrapped).toBe(1)
  expect(failed.map(({ row }) => Number(row))).toEqual([a.id, b.id])
  expect((await keysWith(after).signerFor(c)).didKey).toBe(c.didKey)
  const counts = await countWrapped(db.pool, during)
  expect(new Map(counts.map(({ key, count }) => [key, count]))).toEqual(
    new Map([
      ['current', 1],
      ['previous', 2],
    ]),
  )
})
