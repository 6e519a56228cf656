import { findAccount } from '@rookery/accounts'
import { SigningKeys, KeyWrapper, verifySignature } from '@rookery/identity'
import { decodeCommit, collectCar } from '@rookery/repo'
import { processTidClock, rotateSigningKey } from '@rookery/records'
import { must } from '@rookery/std'
import { type DataObject, decodeDataObject, encodeData } from '@rookery/syntax'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { TestApi } from './test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

type Owner = { did: string; accessJwt: string }

async function write(owner: Owner, pod: number, text: string): Promise<number> {
  const record = { $type: 'app.bsky.feed.post', text, createdAt: new Date().toISOString() }
  const input = { repo: owner.did, collection: 'app.bsky.feed.post', record }
  const options = { token: owner.accessJwt, pod }
  return (await api.post('com.atproto.repo.createRecord', input, options)).status
}

/** Rotates as ctl does: with keys that no pod shares. */
async function rotate(owner: Owner, change: { publish?: () => Promise<void> } = {}): Promise<string> {
  const { config, plc } = api.pods[0]!.deps
  const { rows } = await api.db.pool.query<{ id: number }>(`select id from host where hostname = 'one.test'`)
  const account = must(await findAccount(api.db.pool, must(rows[0]).id, owner.did))
  const signingKeys = new SigningKeys({ db: api.db.database, wrapper: KeyWrapper.fromHex(config.identity) })
  const publish = change.publish ?? ((key: string) => plc.updateSigningKey(owner.did, key))
  const deps = { db: api.db.database, signingKeys, clock: processTidClock(), publish }
  return (await rotateSigningKey(deps, account)).didKey
}

/** The account's events in order: of a commit, which of the keys signed it. */
async function history(owner: Owner, keys: readonly string[]): Promise<string[]> {
  const { rows } = await api.db.pool.query<{ kind: string; seq_offset: number; frame: Buffer }>(
    `select kind, seq_offset, frame from event_queue
      where account_id = (select account_id from repo where did = $1) order by id`,
    [owner.did],
  )
  const found = []
  for (const { kind, seq_offset, frame } of rows) {
    if (kind !== 'commit') {
      found.push(kind)
      continue
    }
    frame.writeBigUInt64BE(2n ** 40n, seq_offset)
    const body = decodeDataObject(frame.subarray(frame.indexOf(Buffer.from('626f7001', 'hex')) + 4))
    const { roots, blocks } = await collectCar([
      Buffer.from((body['blocks'] as { $bytes: string }).$bytes, 'base64'),
    ])
    const { sig, ...unsigned } = decodeDataObject(must(blocks.get(roots[0]))) as DataObject & {
      sig: { $bytes: string }
    }
    expect(decodeCommit(must(blocks.get(roots[0]))).did).toBe(owner.did)
    const bytes = encodeData(unsigned)
    const signer = keys.findIndex((key) => verifySignature(key, bytes, Buffer.from(sig.$bytes, 'base64')))
    found.push(`commit ${signer}`)
  }
  return found
}

async function keyOf(owner: Owner): Promise<string> {
  const { plc } = api.pods[0]!.deps
  return must((await plc.data(owner.did)).verificationMethods['atproto'])
}

// SPEC REP-4
test('after a rotation every pod signs with the new key, whatever it has in memory', async () => {
  const owner: Owner = await api.signUp('rota')
  const first = await keyOf(owner)
  expect(await write(owner, 0, 'a')).toBe(200)
  expect(await write(owner, 1, 'b')).toBe(200)
  const second = await rotate(owner)
  expect(await keyOf(owner)).toBe(second)
  expect(second).not.toBe(first)
  expect(await write(owner, 1, 'c')).toBe(200)
  expect(await write(owner, 0, 'd')).toBe(200)
  const third = await rotate(owner)
  expect(await write(owner, 0, 'e')).toBe(200)
  const events = await history(owner, [first, second, third])
  expect(events.slice(events.indexOf('commit 0')).join(', ')).toBe(
    'commit 0, commit 0, commit 0, identity, commit 1, commit 1, commit 1, identity, commit 2, commit 2',
  )
})

test('writes that race with a rotation succeed, each with the key of its place in the history', async () => {
  const owner: Owner = await api.signUp('racer')
  const keys = [await keyOf(owner)]
  const writes = Array.from({ length: 40 }, (_, n) => write(owner, n % 2, `n ${n}`))
  keys.push(await rotate(owner))
  const more = Array.from({ length: 20 }, (_, n) => write(owner, n % 2, `m ${n}`))
  keys.push(await rotate(owner))
  expect(new Set(await Promise.all([...writes, ...more]))).toEqual(new Set([200]))
  const events = await history(owner, keys)
  const signers = events.filter((event) => event.startsWith('commit'))
  expect(signers).toEqual(signers.toSorted())
  expect(signers).toHaveLength(1 + 60 + 2)
  expect(events.indexOf('commit 1')).toBe(events.indexOf('identity', events.indexOf('commit 0')) + 1)
})

test('a rotation that fails half-way goes on with the same key, and nothing is signed with it before', async () => {
  const owner: Owner = await api.signUp('halfway')
  const first = await keyOf(owner)
  const { plc } = api.pods[0]!.deps
  let published = ''
  const failing = async (): Promise<void> => {
    const { rows } = await api.db.pool.query<{ next_did_key: string }>(
      `select next_did_key from signing_key k join repo r using (account_id) where did = $1`,
      [owner.did],
    )
    published = must(rows[0]).next_did_key
    await plc.updateSigningKey(owner.did, published)
    throw new Error('the line went dead')
  }
  await expect(rotate(owner, { publish: failing })).rejects.toThrow('went dead')
  expect(await keyOf(owner)).toBe(published)
  expect(await write(owner, 0, 'a')).toBe(200)
  expect(await rotate(owner)).toBe(published)
  expect(await write(owner, 1, 'b')).toBe(200)
  const events = await history(owner, [first, published])
  expect(events.slice(-5)).toEqual(['commit 0', 'commit 0', 'identity', 'commit 1', 'commit 1'])
})

test('an account that is moved away or back is signed with the key of now', async () => {
  const owner: Owner = await api.signUp('returns')
  const first = await keyOf(owner)
  const token = { token: owner.accessJwt }
  expect((await api.post('com.atproto.server.deactivateAccount', {}, token)).status).toBe(200)
  const second = await rotate(owner)
  const events = await history(owner, [first, second])
  expect(events.at(-1)).toBe('identity')
  const activated = await api.post('com.atproto.server.activateAccount', undefined, { ...token, pod: 1 })
  expect(activated.status).toBe(200)
  expect(await write(owner, 0, 'back')).toBe(200)
  expect((await history(owner, [first, second])).at(-1)).toBe('commit 1')
})
