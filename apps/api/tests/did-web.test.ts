import { type KeySigner, generatePrivateKey, issueServiceToken, keySigner } from '@rookery/identity'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { TestApi } from './test-api.ts'

const server = 'com.atproto.server'
const identity = 'com.atproto.identity'
const createAccount = `${server}.createAccount`
let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

/** What a did.json says of an account; a field that is not given is not in it. */
type Document = { signingKey?: string; pdsUrl?: string; handle?: string }

/** Somebody whose DID is a web site of theirs. */
class Owner {
  readonly did: string
  readonly key: KeySigner = keySigner(generatePrivateKey())
  readonly #name: string

  constructor(name: string) {
    this.#name = name
    this.did = `did:web:${name}.example`
    this.publish({
      signingKey: this.key.didKey,
      pdsUrl: 'https://old.example',
      handle: `${name}.old.example`,
    })
  }

  publish({ signingKey, pdsUrl, handle }: Document): void {
    const { did } = this
    api.web.set(`https://${this.#name}.example/.well-known/did.json`, {
      id: did,
      alsoKnownAs: handle === undefined ? [] : [`at://${handle}`],
      verificationMethod: signingKey === undefined ? [] : [this.#method(signingKey)],
      service:
        pdsUrl === undefined
          ? []
          : [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: pdsUrl }],
    })
  }

  serviceToken(signer = this.key): string {
    return issueServiceToken(signer, {
      issuer: this.did,
      audience: 'did:web:one.test',
      method: createAccount,
    })
  }

  input() {
    const name = this.#name
    return { did: this.did, handle: `${name}.one.test`, email: `${name}@mail.test`, password: `${name}-pass` }
  }

  async moveIn(): Promise<string> {
    const created = await api.post(createAccount, this.input(), { token: this.serviceToken() })
    if (created.body.did !== this.did) throw new Error(`${this.did}: ${JSON.stringify(created.body)}`)
    return created.body.accessJwt
  }

  #method(signingKey: string) {
    const publicKeyMultibase = signingKey.slice('did:key:'.length)
    return { id: `${this.did}#atproto`, type: 'Multikey', controller: this.did, publicKeyMultibase }
  }
}

// SPEC IDN-7
test('an account moves in once its document names this host, its key and its handle; PLC is not asked', async () => {
  const owner = new Owner('carla')
  await using _outage = await api.plc.outage()
  const token = await owner.moveIn()
  const { body: recommended } = await api.get(`${identity}.getRecommendedDidCredentials`, {}, { token })
  expect(recommended).toEqual({
    alsoKnownAs: ['at://carla.one.test'],
    verificationMethods: { atproto: expect.stringMatching(/^did:key:zQ3sh/) },
    services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://one.test' } },
  })
  const signingKey = recommended.verificationMethods.atproto
  const good = { signingKey, pdsUrl: 'https://one.test', handle: 'carla.one.test' }
  const bad: [Document, RegExp][] = [
    [{ ...good, pdsUrl: 'https://old.example' }, /does not match PDS public url/],
    [{ signingKey, handle: good.handle }, /does not match PDS public url/],
    [{ ...good, signingKey: owner.key.didKey }, /does not match expected signing key/],
    [{ ...good, handle: 'carla.old.example' }, /does not name the handle carla\.one\.test/],
    [{ signingKey, pdsUrl: good.pdsUrl }, /does not name the handle/],
  ]
  for (const [document, message] of bad) {
    owner.publish(document)
    const refused = await api.post(`${server}.activateAccount`, undefined, { token })
    expect(refused).toMatchObject({ status: 400, body: { message: expect.stringMatching(message) } })
    const status = await api.get(`${server}.checkAccountStatus`, {}, { token })
    expect(status.body).toMatchObject({ activated: false, validDid: false })
  }
  expect(await api.events(owner.did)).toEqual([])
  owner.publish(good)
  expect((await api.post(`${server}.activateAccount`, undefined, { token, pod: 1 })).status).toBe(200)
  expect((await api.get(`${server}.checkAccountStatus`, {}, { token })).body).toMatchObject({
    activated: true,
    validDid: true,
  })
  expect(await api.events(owner.did)).toEqual(['identity', 'account', 'sync'])
  const resolved = await api.get(`${identity}.resolveIdentity`, { identifier: owner.did })
  expect(resolved.body).toMatchObject({ did: owner.did, handle: 'carla.one.test' })
})

test('the handle changes when the document names the new one', async () => {
  const owner = new Owner('dora')
  const token = await owner.moveIn()
  const { body } = await api.get(`${identity}.getRecommendedDidCredentials`, {}, { token })
  const document = { signingKey: body.verificationMethods.atproto, pdsUrl: 'https://one.test' }
  owner.publish({ ...document, handle: 'dora.one.test' })
  await api.post(`${server}.activateAccount`, undefined, { token })
  const change = () => api.post(`${identity}.updateHandle`, { handle: 'dora2.one.test' }, { token })
  expect(await change()).toMatchObject({
    status: 400,
    body: { error: 'InvalidRequest', message: 'DID is not properly configured for handle' },
  })
  expect((await api.get(`${server}.getSession`, {}, { token })).body.handle).toBe('dora.one.test')
  owner.publish({ ...document, handle: 'dora2.one.test' })
  expect((await change()).status).toBe(200)
  expect((await api.get(`${server}.getSession`, {}, { token })).body.handle).toBe('dora2.one.test')
  expect(await api.events(owner.did)).toEqual(['identity', 'account', 'sync', 'identity'])
})

test('there is no PLC operation for it to sign or send', async () => {
  const owner = new Owner('emil')
  const token = await owner.moveIn()
  const refusal = {
    status: 400,
    body: { error: 'InvalidRequest', message: expect.stringMatching(/did:plc/) },
  }
  const asked = await api.post(`${identity}.requestPlcOperationSignature`, undefined, { token })
  expect(asked).toMatchObject(refusal)
  const { rows } = await api.db.pool.query(`select from job_outbox where queue = 'mail'`)
  expect(rows).toEqual([])
  const { body: recommended } = await api.get(`${identity}.getRecommendedDidCredentials`, {}, { token })
  const operation = { ...recommended, rotationKeys: [api.pods[0]!.deps.plc.rotationDidKey] }
  const sent = await api.post(`${identity}.submitPlcOperation`, { operation }, { token })
  expect(sent).toMatchObject(refusal)
})

test('the owner is whose key is in the document, and nobody else', async () => {
  const owner = new Owner('frida')
  const thief = owner.serviceToken(keySigner(generatePrivateKey()))
  expect(await api.post(createAccount, owner.input(), { token: thief })).toMatchObject({
    status: 401,
    body: { error: 'BadJwtSignature' },
  })
  const keyless = new Owner('fritz')
  keyless.publish({ pdsUrl: 'https://old.example' })
  expect(await api.post(createAccount, keyless.input(), { token: keyless.serviceToken() })).toMatchObject({
    status: 401,
    body: { error: 'BadJwtSignature' },
  })
})

test('a document that cannot be had is an upstream failure, and leaves nothing', async () => {
  const owner = new Owner('gustav')
  api.web.clear()
  const refused = await api.post(createAccount, owner.input(), { token: owner.serviceToken() })
  expect(refused).toMatchObject({ status: 502, body: { error: 'UpstreamFailure' } })
  const { rows } = await api.db.pool.query(
    `select did from account where did = $1 union all select did from account_claim`,
    [owner.did],
  )
  expect(rows).toEqual([])
})
