import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { beginTotp, findAccountById, findPendingTotp } from '@rookery/accounts'
import { KeyWrapper, PlcClient, PlcIdentities, SigningKeys, keySigner } from '@rookery/identity'
import { createSafeFetch } from '@rookery/http'
import { inTransaction } from '@rookery/db'
import { type PlcDirectory, startPlc } from '@rookery/local'
import { createRepo, processTidClock } from '@rookery/records'
import { must } from '@rookery/std'
import { type TestDatabase, type TestRedis, createTestDatabase, testRedis } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { runCtl } from '../src/app.ts'

const key = (): string => randomBytes(32).toString('hex')
const [oldWrap, newWrap, oldPlc, newPlc] = [key(), key(), key(), key()]
const at = ['--host', 'pds.people.com'] as const
const directory = mkdtempSync(join(tmpdir(), 'rookery-ctl-'))
let db: TestDatabase
let redis: TestRedis
let plc: PlcDirectory

beforeAll(async () => {
  db = await createTestDatabase()
  redis = await testRedis()
  plc = await startPlc({ file: join(directory, 'plc.jsonl') })
  await json({}, 'tenant', 'create', 'people', '--name', 'People')
  await json({}, 'host', 'create', 'pds.people.com', '--tenant', 'people')
})
afterAll(async () => {
  await plc[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

type Env = { wrap?: string; wrapBefore?: string; plc?: string; plcBefore?: string }

async function ctl(env: Env, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const code = await runCtl(argv, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: {
      ROOKERY_DATABASE_URL: db.url,
      ROOKERY_REDIS_URL: redis.url,
      ROOKERY_REDIS_PREFIX: redis.prefix,
      ROOKERY_PLC_URL: plc.url,
      ROOKERY_KEY_ENCRYPTION_KEY: env.wrap ?? oldWrap,
      ROOKERY_KEY_ENCRYPTION_KEY_PREVIOUS: env.wrapBefore ?? '',
      ROOKERY_PLC_ROTATION_KEY: env.plc ?? oldPlc,
      ROOKERY_PLC_ROTATION_KEY_PREVIOUS: env.plcBefore ?? '',
      ROOKERY_DEV_ALLOW_PRIVATE_NETWORK: 'true',
    },
  })
  return { code, out, err }
}

async function json(env: Env, ...argv: string[]): Promise<any> {
  const { code, out, err } = await ctl(env, ...argv, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out)
}

function identities(rotationKey: string): PlcIdentities {
  return new PlcIdentities({
    client: new PlcClient(plc.url, createSafeFetch({ allowPrivateNetwork: true })),
    rotationKey,
  })
}

/** Makes an account with its key, DID and repo. */
async function addAccount(name: string): Promise<{ did: string; id: number }> {
  const signingKeys = new SigningKeys({
    db: db.database,
    wrapper: new KeyWrapper([Buffer.from(oldWrap, 'hex')]),
  })
  const made = signingKeys.create()
  const { didKey } = made.signer
  const wanted = { handle: `${name}.people.com`, signingKey: didKey, pdsUrl: 'https://pds.people.com' }
  const minted = await identities(oldPlc).mint(wanted)
  await minted.register()
  const { did } = minted
  return inTransaction(db.pool, async (tx) => {
    const { rows } = await tx.query<{ id: number; host_id: number }>(
      `insert into account (host_id, tenant_id, did, handle)
       select id, default_tenant_id, $1, $2 from host returning id, host_id`,
      [did, wanted.handle],
    )
    const { id, host_id: hostId } = must(rows[0])
    await made.store(tx, { id, did })
    const sign = (bytes: Uint8Array): Uint8Array => made.signer.sign(bytes)
    await createRepo(tx, { accountId: id, hostId, did, status: 'active', sign, clock: processTidClock() })
    return { id, did }
  })
}

describe('ctl keys', () => {
  test('makes keys', async () => {
    const { privateKey, didKey } = await json({}, 'keys', 'generate', 'plc')
    expect(keySigner(Buffer.from(privateKey, 'hex')).didKey).toBe(didKey)
    expect((await json({}, 'keys', 'generate', 'encryption')).privateKey).toMatch(/^[0-9a-f]{64}$/)
  })

  test('moves every secret to another key-encryption key', async () => {
    const { id } = await addAccount('wren')
    const account = must(await findAccountById(db.pool, id))
    const wrapperOf = (key: string) => new KeyWrapper([Buffer.from(key, 'hex')])
    const before = { db: db.database, wrapper: wrapperOf(oldWrap) }
    await beginTotp(before, account)
    const secret = await findPendingTotp(before, account)
    const [{ keyId }] = await json({}, 'keys', 'status')
    expect((await ctl({ wrap: newWrap }, 'keys', 'status')).code).toBe(3)
    const both = { wrap: newWrap, wrapBefore: oldWrap }
    expect(await json(both, 'keys', 'status')).toMatchObject([
      { secrets: 'signing keys', keyId, key: 'previous', count: 1 },
      { secrets: 'authenticator secrets', keyId, key: 'previous', count: 1 },
    ])
    expect(await json(both, 'keys', 'rewrap', '--dry-run')).toEqual({ rewrapped: 2, failed: [] })
    expect((await ctl({ wrap: newWrap }, 'keys', 'rewrap')).code).toBe(3)
    expect(await json(both, 'keys', 'rewrap')).toEqual({ rewrapped: 2, failed: [] })
    const current = { key: 'current', count: 1 }
    expect(await json({ wrap: newWrap }, 'keys', 'status')).toMatchObject([current, current])
    const after = await findPendingTotp({ db: db.database, wrapper: wrapperOf(newWrap) }, account)
    expect(after).toEqual(secret)
    // Back again, for the other tests.
    await json({ wrap: oldWrap, wrapBefore: newWrap }, 'keys', 'rewrap')
  })

  test('puts another rotation key into the documents, of those who let it', async () => {
    const kept = await addAccount('kept')
    const own = await addAccount('own')
    const before = identities(oldPlc)
    const strangers = keySigner(randomBytes(32)).didKey
    const operation = await before.signOperation(own.did, { rotationKeys: [strangers] })
    await before.submit(own.did, operation)

    const both = { plc: newPlc, plcBefore: oldPlc }
    const dry = await ctl(both, 'keys', 'rotate-plc', '--dry-run', '--json')
    expect(dry.code).toBe(3)
    expect(JSON.parse(dry.out)).toMatchObject({ updated: 2, removed: [own.did], failed: [] })
    expect((await before.data(kept.did)).rotationKeys).toEqual([before.rotationDidKey])

    // Meanwhile both keys count: what the new one may not sign yet, the old one does.
    await json(both, 'keys', 'rotate-signing', kept.did, ...at)
    const { out } = await ctl(both, 'keys', 'rotate-plc', '--json', '--per-second', '100')
    expect(JSON.parse(out)).toMatchObject({ updated: 2, current: 0, removed: [own.did] })
    const after = identities(newPlc)
    expect((await after.data(kept.did)).rotationKeys).toEqual([after.rotationDidKey])
    expect((await after.data(own.did)).rotationKeys).toEqual([strangers])
    const again = await ctl(both, 'keys', 'rotate-plc', '--json', '--after', String(kept.id - 1), ...at)
    expect(JSON.parse(again.out)).toMatchObject({ updated: 0, current: 1 })
    await json({ plc: newPlc }, 'keys', 'rotate-signing', kept.did, ...at)
  })

  test('gives an account another signing key', async () => {
    const { did, id } = await addAccount('signer')
    const [{ key: first }] = [await json({}, 'keys', 'rotate-signing', did, ...at, '--dry-run')]
    const { before, key: second } = await json({}, 'keys', 'rotate-signing', 'signer.people.com', ...at)
    expect(before).toBe(first)
    expect((await identities(oldPlc).data(did)).verificationMethods).toEqual({ atproto: second })
    const { rows } = await db.pool.query('select kind from event_queue where account_id = $1 order by id', [
      id,
    ])
    expect(rows.map(({ kind }) => kind)).toEqual(['commit', 'identity', 'commit'])
    expect(await json({}, 'audit', ...at, '--did', did)).toMatchObject([
      { action: 'keys rotate-signing', detail: { before: first, after: second } },
    ])
  })
})
