import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Secp256k1Keypair } from '@atproto/crypto'
import { createAskServer } from '@rookery/http'
import { type PlcDirectory, startPlc } from '@rookery/local'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { DidDeactivatedError, DidNotFoundError, PlcRefusedError, PlcUnavailableError } from '../errors.ts'
import { fetchDidDocument } from '../resolution/fetch-identity.ts'
import { assertOperationKeepsAccount, recommendedCredentials } from './check-identity.ts'
import { PlcClient } from './plc-client.ts'
import { PlcIdentities } from './plc-identities.ts'

const directory = mkdtempSync(join(tmpdir(), 'rookery-plc-'))
const ask = createAskServer()
let plc: PlcDirectory
let identities: PlcIdentities
let signingKey: string

beforeAll(async () => {
  plc = await startPlc({ file: join(directory, 'operations.jsonl') })
  identities = new PlcIdentities({
    client: new PlcClient(plc.url, ask),
    rotationKey: randomBytes(32).toString('hex'),
  })
  signingKey = (await Secp256k1Keypair.create()).did()
})
afterAll(async () => {
  await plc[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

function mint(handle: string, recoveryKey?: string) {
  return identities.mint({ handle, signingKey, pdsUrl: 'https://pds.example.com' }, recoveryKey)
}

function documentOf(did: string) {
  const resolveTxt = () => Promise.resolve([])
  const fetch = () => Promise.reject(new Error('the directory is not asked that way'))
  const sources = { fetch, askPlc: ask, plcUrl: plc.url, allowPrivateNetwork: true, resolveTxt }
  return fetchDidDocument(sources, did)
}

test('PlcClient keeps its connections from one operation to the next', async () => {
  let connections = 0
  const server = createServer((_, response) => {
    response.flushHeaders()
    setTimeout(() => response.end('OK'), 5)
  }).on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const client = new PlcClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, ask)
    for (let n = 0; n < 10; n++) await client.send(`did:plc:${n}`, {})
    // A second one may open before the first is put aside.
    expect(connections).toBeLessThanOrEqual(2)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

describe('PlcIdentities', () => {
  // SPEC PLC-1, PLC-2
  test('registers a DID with the user’s recovery key first, and registering again is safe', async () => {
    const recovery = (await Secp256k1Keypair.create()).did()
    const { did, register } = await mint('alice.example.com', recovery)
    await expect(documentOf(did)).rejects.toThrow(DidNotFoundError)
    await register()
    expect(await identities.data(did)).toEqual({
      did,
      rotationKeys: [recovery, identities.rotationDidKey],
      verificationMethods: { atproto: signingKey },
      alsoKnownAs: ['at://alice.example.com'],
      services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://pds.example.com' } },
    })
    expect(await documentOf(did)).toMatchObject({ id: did, alsoKnownAs: ['at://alice.example.com'] })
  })

  // SPEC PLC-3
  test('tombstones what it registered', async () => {
    const { did, register, tombstone } = await mint('bob.example.com')
    await register()
    await tombstone()
    await expect(documentOf(did)).rejects.toThrow(DidDeactivatedError)
    await expect(identities.updateHandle(did, 'carol.example.com')).rejects.toThrow(DidDeactivatedError)
  })

  test('changes the handle and keeps other aliases', async () => {
    const { did, register } = await mint('dan.example.com')
    await register()
    const alsoKnownAs = ['at://dan.example.com', 'https://dan.example']
    await identities.submit(did, await identities.signOperation(did, { alsoKnownAs }))
    await identities.updateHandle(did, 'daniel.example.com')
    expect((await identities.data(did)).alsoKnownAs).toEqual([
      'at://daniel.example.com',
      'https://dan.example',
    ])
  })

  // SPEC PLC-6
  test('updates that overtake one another all arrive', async () => {
    const { did, register } = await mint('eve.example.com')
    await register()
    await Promise.all(['one', 'two'].map((label) => identities.updateHandle(did, `${label}.example.com`)))
    expect((await identities.data(did)).alsoKnownAs[0]).toMatch(/^at:\/\/(one|two)\.example\.com$/)
  })

  test('passes the directory’s refusal on', async () => {
    const { did, register } = await mint('frank.example.com')
    await register()
    const operation = await identities.signOperation(did, {})
    const forged = { ...operation, sig: Buffer.alloc(64, 1).toString('base64url') }
    await expect(identities.submit(did, forged)).rejects.toThrow(PlcRefusedError)
  })

  test('says when the directory is away', async () => {
    const client = new PlcClient('http://127.0.0.1:1', ask)
    const away = new PlcIdentities({ client, rotationKey: randomBytes(32).toString('hex') })
    const { register } = await away.mint({
      handle: 'gina.example.com',
      signingKey,
      pdsUrl: 'https://pds.example',
    })
    await expect(register()).rejects.toThrow(PlcUnavailableError)
  })
})

describe('assertOperationKeepsAccount', () => {
  const own = {
    did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa',
    signingKey: 'did:key:zSigning',
    pdsUrl: 'https://pds.example.com',
    handle: 'alice.example.com',
  }
  const withKey = () => ({ ...own, plc: identities })
  const good = () => recommendedCredentials(identities, own)

  // SPEC IDN-8
  test('takes what getRecommendedDidCredentials answers', () => {
    expect(() => assertOperationKeepsAccount(good(), withKey())).not.toThrow()
  })

  test.each([
    [
      'rotation keys',
      { rotationKeys: ['did:key:zOther'] },
      "Rotation keys do not include server's rotation key",
    ],
    [
      'another kind of service',
      { services: { atproto_pds: { type: 'Other', endpoint: 'https://pds.example.com' } } },
      'Incorrect type on atproto_pds service',
    ],
    ['no service', { services: {} }, 'Incorrect type on atproto_pds service'],
    [
      'another PDS',
      { services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://other.example' } } },
      'Incorrect endpoint on atproto_pds service',
    ],
    ['another key', { verificationMethods: { atproto: 'did:key:zOther' } }, 'Incorrect signing key'],
    ['another handle', { alsoKnownAs: ['at://bob.example.com'] }, 'Incorrect handle in alsoKnownAs'],
    ['no lists', { alsoKnownAs: null }, 'Incorrect handle in alsoKnownAs'],
  ])('refuses %s', (_name, change, message) => {
    expect(() => assertOperationKeepsAccount({ ...good(), ...change }, withKey())).toThrow(message)
  })
})
