import { randomBytes } from 'node:crypto'

import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { verifySignature } from '../crypto/signer.ts'
import { SigningKeyNotFoundError, TooManyReservedKeysError, UnwrapFailedError } from '../errors.ts'
import { reservedKeysMax, verifiedSignatureEvery } from '../limits.ts'
import { KeyWrapper } from './key-wrapper.ts'
import { SigningKeys } from './signing-keys.ts'
import { verifyingSigner } from './verifying-signer.ts'

const wrapper = new KeyWrapper([randomBytes(32)])
const alice = { id: 1, did: 'did:plc:alice' }
const bob = { id: 2, did: 'did:plc:bob' }
const hostId = 1
let db: TestDatabase

beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

function signingKeys(): SigningKeys {
  return new SigningKeys({ db: db.database, wrapper })
}

describe('SigningKeys', () => {
  test('any process signs with the account’s key', async () => {
    const made = signingKeys().create()
    await made.store(db.pool, alice)
    const signer = await signingKeys().signerFor(alice)
    expect(signer.didKey).toBe(made.signer.didKey)
    const bytes = Buffer.from('commit')
    expect(verifySignature(made.signer.didKey, bytes, signer.sign(bytes))).toBe(true)
    await expect(signingKeys().signerFor({ id: 99, did: 'did:plc:nobody' })).rejects.toThrow(
      SigningKeyNotFoundError,
    )
  })

  test('keys that are asked for at the same time come by one statement', async () => {
    const owners = await Promise.all(
      [11, 12, 13].map(async (id) => {
        const made = signingKeys().create()
        await made.store(db.pool, { id, did: `did:plc:${id}` })
        return { id, did: `did:plc:${id}`, didKey: made.signer.didKey }
      }),
    )
    const query = vi.spyOn(db.pool, 'query')
    const keys = signingKeys()
    const nobody = keys.signerFor({ id: 98, did: 'did:plc:nobody' })
    const signers = owners.map((owner) => keys.signerFor(owner))
    await expect(nobody).rejects.toThrow(SigningKeyNotFoundError)
    expect((await Promise.all(signers)).map(({ didKey }) => didKey)).toEqual(
      owners.map(({ didKey }) => didKey),
    )
    expect(query).toHaveBeenCalledTimes(1)
    query.mockRestore()
  })

  test('a key in another account’s row, or beside another public key, does not sign', async () => {
    const { rows } = await db.pool.query<{ did_key: string }>(
      `insert into signing_key (account_id, did_key, wrapped)
       select $1, did_key, wrapped from signing_key where account_id = $2 returning did_key`,
      [bob.id, alice.id],
    )
    await expect(signingKeys().signerFor(bob)).rejects.toThrow(UnwrapFailedError)
    await db.pool.query('update signing_key set did_key = $2 where account_id = $1', [
      alice.id,
      'did:key:zOther',
    ])
    await expect(signingKeys().signerFor(alice)).rejects.toThrow(UnwrapFailedError)
    await db.pool.query('update signing_key set did_key = $2 where account_id = $1', [
      alice.id,
      rows[0]?.did_key,
    ])
    await signingKeys().signerFor(alice)
  })

  // SPEC IDN-15
  test('a DID has one reserved key, which its account then gets', async () => {
    const did = 'did:plc:carol'
    const keys = signingKeys()
    const reserved = await keys.reserve(hostId, did)
    expect(await keys.reserve(hostId, did)).toBe(reserved)
    expect(await keys.reserve(2, did)).not.toBe(reserved)
    expect(await keys.reserve(hostId, null)).not.toBe(await keys.reserve(hostId, null))
    const taken = await keys.takeReserved({ hostId, did })
    expect(taken.signer.didKey).toBe(reserved)
    await taken.store(db.pool, { id: 3, did })
    expect((await signingKeys().signerFor({ id: 3, did })).didKey).toBe(reserved)
    expect((await keys.takeReserved({ hostId, did })).signer.didKey).not.toBe(reserved)
  })

  test.each([
    ['with a DID', `'did:plc:' || n`, 'did:plc:last', 'did:plc:more'],
    ['without one', 'null', null, null],
  ])('a host keeps so many reservations %s and no more', async (_name, did, last, more) => {
    const keys = signingKeys()
    const full = 7
    await db.pool.query(
      `insert into reserved_signing_key (host_id, did_key, did, wrapped)
       select $1, 'did:key:' || n, ${did}, '' from generate_series(2, $2::integer) as n`,
      [full, reservedKeysMax],
    )
    const reserved = await keys.reserve(full, last)
    await expect(keys.reserve(full, more)).rejects.toThrow(TooManyReservedKeysError)
    // Who has one may ask again; other hosts have their own.
    expect(last === null ? reserved : await keys.reserve(full, last)).toBe(reserved)
    await keys.reserve(hostId, more)
    await db.pool.query('delete from reserved_signing_key where host_id = $1', [full])
  })

  test('a reservation that nobody came for lapses', async () => {
    const did = 'did:plc:dan'
    const keys = signingKeys()
    const reserved = await keys.reserve(hostId, did)
    await db.pool.query(`update reserved_signing_key set created_at = now() - interval '2 days'`)
    expect(await keys.reserve(hostId, did)).not.toBe(reserved)
  })
})

test('verifyingSigner checks the first signature and a sample of the others', () => {
  const { signer } = signingKeys().create()
  let made = 0
  const checked: number[] = []
  const faulty = verifyingSigner({
    didKey: signer.didKey,
    sign: (bytes) => {
      made++
      return made === 1 ? signer.sign(bytes) : new Uint8Array(64)
    },
  })
  for (let n = 1; n <= 2 * verifiedSignatureEvery; n++) {
    try {
      faulty.sign(Buffer.of(1))
    } catch {
      checked.push(n)
    }
  }
  expect(checked).toEqual([verifiedSignatureEvery + 1])
  const broken = verifyingSigner({ didKey: signer.didKey, sign: () => new Uint8Array(64) })
  expect(() => broken.sign(Buffer.of(1))).toThrow('does not verify')
})
