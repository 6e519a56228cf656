import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { beginTotp, findAccountById, findPendingTotp } from '@rookery/accounts'
import { KeyWrapper, keySigner } from '@rookery/identity'
import { must } from '@rookery/std'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type CtlRun, TestCluster } from './test-cluster.ts'

const at = ['--host', 'pds.people.com'] as const
const [newWrap, newPlc] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')]
let cluster: TestCluster
let [oldWrap, oldPlc] = ['', '']

beforeAll(async () => {
  cluster = await TestCluster.start()
  oldWrap = cluster.wrapKey
  oldPlc = cluster.plcKey
})
afterAll(() => cluster[Symbol.asyncDispose]())

type Env = { wrap?: string; wrapBefore?: string; plc?: string; plcBefore?: string }

function ctl(env: Env, ...argv: string[]): Promise<CtlRun> {
  const variables = {
    ROOKERY_KEY_ENCRYPTION_KEY: env.wrap ?? oldWrap,
    ROOKERY_KEY_ENCRYPTION_KEY_PREVIOUS: env.wrapBefore ?? '',
    ROOKERY_PLC_ROTATION_KEY: env.plc ?? oldPlc,
    ROOKERY_PLC_ROTATION_KEY_PREVIOUS: env.plcBefore ?? '',
  }
  return cluster.ctlWith(variables, ...argv)
}

async function json(env: Env, ...argv: string[]): Promise<any> {
  const { code, out, err } = await ctl(env, ...argv, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out)
}

describe('ctl keys', () => {
  test('makes keys', async () => {
    const { privateKey, didKey } = await json({}, 'keys', 'generate', 'plc')
    expect(keySigner(Buffer.from(privateKey, 'hex')).didKey).toBe(didKey)
    expect((await json({}, 'keys', 'generate', 'encryption')).privateKey).toMatch(/^[0-9a-f]{64}$/)
  })

  test('moves every secret to another key-encryption key', async () => {
    const { id } = await cluster.addAccount('wren')
    const account = must(await findAccountById(cluster.db.pool, id))
    const wrapperOf = (key: string) => new KeyWrapper([Buffer.from(key, 'hex')])
    const before = { db: cluster.db.database, wrapper: wrapperOf(oldWrap) }
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
    const after = await findPendingTotp({ db: cluster.db.database, wrapper: wrapperOf(newWrap) }, account)
    expect(after).toEqual(secret)
    // Back again, for the other tests.
    await json({ wrap: oldWrap, wrapBefore: newWrap }, 'keys', 'rewrap')
  })

  test('puts another rotation key into the documents, of those who let it', async () => {
    const kept = await cluster.addAccount('kept')
    const own = await cluster.addAccount('own')
    const before = cluster.identities(oldPlc)
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
    const after = cluster.identities(newPlc)
    expect((await after.data(kept.did)).rotationKeys).toEqual([after.rotationDidKey])
    expect((await after.data(own.did)).rotationKeys).toEqual([strangers])
    const again = await ctl(both, 'keys', 'rotate-plc', '--json', '--after', String(kept.id - 1), ...at)
    expect(JSON.parse(again.out)).toMatchObject({ updated: 0, current: 1 })
    await json({ plc: newPlc }, 'keys', 'rotate-signing', kept.did, ...at)
  })

  test('gives an account another signing key', async () => {
    const { did, id } = await cluster.addAccount('signer')
    const [{ key: first }] = [await json({}, 'keys', 'rotate-signing', did, ...at, '--dry-run')]
    const { before, key: second } = await json({}, 'keys', 'rotate-signing', 'signer.people.com', ...at)
    expect(before).toBe(first)
    expect((await cluster.identities(oldPlc).data(did)).verificationMethods).toEqual({ atproto: second })
    const { rows } = await cluster.db.pool.query(
      'select kind from event_queue where account_id = $1 order by id',
      [id],
    )
    expect(rows.map(({ kind }) => kind)).toEqual(['commit', 'identity', 'commit'])
    expect(await json({}, 'audit', ...at, '--did', did)).toMatchObject([
      { action: 'keys rotate-signing', detail: { before: first, after: second } },
    ])
  })

  test('takes the key of a did:web into use once its owner has put it into the document', async () => {
    const document: { verificationMethod: { publicKeyMultibase: string }[]; [name: string]: unknown } = {
      verificationMethod: [],
    }
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
    }).listen(0, 'localhost')
    await once(server, 'listening')
    const did = `did:web:localhost%3A${(server.address() as AddressInfo).port}`
    const { id } = await cluster.addAccount('weber', did)
    const { key: first } = await json({}, 'keys', 'rotate-signing', did, ...at, '--dry-run')
    const inDocument = (key: string): void => {
      const publicKeyMultibase = key.slice('did:key:'.length)
      const method = { id: `${did}#atproto`, type: 'Multikey', controller: did, publicKeyMultibase }
      const pds = {
        id: '#atproto_pds',
        type: 'AtprotoPersonalDataServer',
        serviceEndpoint: 'https://pds.people.com',
      }
      const alsoKnownAs = ['at://weber.people.com']
      Object.assign(document, { id: did, alsoKnownAs, verificationMethod: [method], service: [pds] })
    }
    inDocument(first)
    const refused = await ctl({}, 'keys', 'rotate-signing', did, ...at)
    const [, wanted = ''] =
      /have the owner of \S+ put (\S+) into the document as #atproto/.exec(refused.err) ?? []
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(wanted).toMatch(/^zQ3s/)
    // Nothing has changed, and the next call asks for the same key.
    expect((await json({}, 'keys', 'rotate-signing', did, ...at, '--dry-run')).key).toBe(first)
    expect((await ctl({}, 'keys', 'rotate-signing', did, ...at)).err).toBe(refused.err)
    inDocument(`did:key:${wanted}`)
    expect(await json({}, 'keys', 'rotate-signing', did, ...at)).toMatchObject({
      before: first,
      key: `did:key:${wanted}`,
    })
    const { rows } = await cluster.db.pool.query(
      'select kind from event_queue where account_id = $1 order by id',
      [id],
    )
    expect(rows.map(({ kind }) => kind)).toEqual(['commit', 'identity', 'commit'])
    server.closeAllConnections()
    server.close()
  })
})
