import { updateTenant } from '@rookery/tenants'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestApi } from './test-api.ts'

const identity = 'com.atproto.identity'
let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

async function aliases(did: string): Promise<string[]> {
  return ((await (await fetch(`${api.plc.url}/${did}/data`)).json()) as { alsoKnownAs: string[] }).alsoKnownAs
}

describe('updateHandle', () => {
  // SPEC IDN-5, IDN-13, IDN-16
  test('changes the DID document, the account and what the handle resolves to, and says so', async () => {
    const { did, accessJwt: token } = await api.signUp('alice')
    for (let n = 0; n < 2; n++) {
      const answer = await api.post(`${identity}.updateHandle`, { handle: 'Alice2.one.test' }, { token })
      expect(answer.status).toBe(200)
    }
    expect(await aliases(did)).toEqual(['at://alice2.one.test'])
    expect(await api.events(did)).toEqual(['identity', 'account', 'commit', 'identity', 'identity'])
    for (const handle of ['alice2.one.test', 'aLiCe2.One.tEst']) {
      expect((await api.get(`${identity}.resolveHandle`, { handle })).body).toEqual({ did })
    }
    const signIn = (identifier: string) =>
      api.post('com.atproto.server.createSession', { identifier, password: 'alice-pass' })
    expect((await signIn('alice2.one.test')).body).toMatchObject({ did, handle: 'alice2.one.test' })
    expect((await signIn('alice.one.test')).status).toBe(401)
    expect(await api.get(`${identity}.resolveHandle`, { handle: 'alice.one.test' })).toMatchObject({
      status: 400,
      body: { error: 'HandleNotFound' },
    })
    const resolved = await api.get(`${identity}.resolveIdentity`, { identifier: did }, { pod: 1 })
    expect(resolved.body).toMatchObject({ did, handle: 'alice2.one.test' })
    const { rows } = await api.db.pool.query('select count(*) as claims from account_claim')
    expect(rows).toEqual([{ claims: 0 }])
  })

  // SPEC IDN-13, IDN-14
  test.each([
    ['another tenant’s domain', 'bob.club.test', 'UnsupportedDomain'],
    ['another host’s domain', 'bob.two.test', 'UnsupportedDomain'],
    ['a taken handle', 'taken.one.test', 'HandleNotAvailable'],
    ['a reserved handle', 'admin.one.test', 'HandleNotAvailable'],
    ['a bad label', 'a.b.one.test', 'InvalidHandle'],
    ['too short a label', 'xy.one.test', 'InvalidHandle'],
    ['too long a label', `${'x'.repeat(19)}.one.test`, 'InvalidHandle'],
    ['a handle of nobody', 'bob.example.com', 'InvalidRequest'],
    ['a name that is on no DNS', 'bob.onion', 'InvalidHandle'],
  ])('refuses %s', async (_name, handle, error) => {
    const name = `bob-${handle.replaceAll('.', '').slice(0, 14)}`
    if (handle === 'taken.one.test') await api.signUp('taken')
    const { did, accessJwt: token } = await api.signUp(name)
    const answer = await api.post(`${identity}.updateHandle`, { handle }, { token })
    expect(answer).toMatchObject({ status: 400, body: { error } })
    expect(await aliases(did)).toEqual([`at://${name}.one.test`])
  })

  test('refuses what the tenant has reserved and offensive words; the operator gives out the former', async () => {
    const settings = { reservedHandles: ['rector'], offensiveWords: ['blorb'] }
    await updateTenant(api.db.database.kysely, 'one', { settings })
    await api.pods[0]!.deps.directory.refresh()
    const { did, accessJwt: token } = await api.signUp('professor')
    const change = (handle: string) => api.post(`${identity}.updateHandle`, { handle }, { token })
    expect((await change('rector.one.test')).body.message).toBe('Reserved handle')
    api.dns.set('_atproto.n1gger.example.com', [`did=${did}`])
    for (const handle of ['my-blorb.one.test', 'n1gger.one.test', 'n1gger.example.com']) {
      const answer = await change(handle)
      expect(answer.body).toMatchObject({
        error: 'InvalidHandle',
        message: 'Inappropriate language in handle',
      })
    }
    const input = { did, handle: 'rector.one.test' }
    expect((await api.post('com.atproto.admin.updateAccountHandle', input, { admin: true })).status).toBe(200)
    expect(await aliases(did)).toEqual(['at://rector.one.test'])
  })

  test.each([
    'did:john',
    'jo_hn.one.test',
    'jo!hn.one.test',
    'jo%hn.one.test',
    'jo|hn.one.test',
    'jo/hn.one.test',
  ])('refuses what is no handle: %s', async (handle) => {
    const answer = await api.post(`${identity}.updateHandle`, { handle }, { token: await tokenOf('dave') })
    expect(answer).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    expect(answer.body.message).toContain('handle')
  })

  const tokens = new Map<string, string>()
  async function tokenOf(name: string): Promise<string> {
    const token = tokens.get(name) ?? (await api.signUp(name)).accessJwt
    tokens.set(name, token)
    return token
  }

  test('takes a handle of the user’s own once it names the DID', async () => {
    const { did, accessJwt: token } = await api.signUp('custom')
    const handle = 'custom.example.com'
    const change = () => api.post(`${identity}.updateHandle`, { handle }, { token })
    api.dns.set(`_atproto.${handle}`, ['did=did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'])
    expect(await change()).toMatchObject({
      status: 400,
      body: { error: 'InvalidRequest', message: 'External handle did not resolve to DID' },
    })
    api.dns.set(`_atproto.${handle}`, [`did=${did}`])
    expect((await change()).status).toBe(200)
    expect(await aliases(did)).toEqual([`at://${handle}`])
    const session = await api.get('com.atproto.server.getSession', {}, { token })
    expect(session.body.handle).toBe(handle)
    const resolved = await api.get(`${identity}.resolveHandle`, { handle }, { host: 'two.test' })
    expect(resolved.body).toEqual({ did })
  })

  test('of two accounts that want one handle, one gets it', async () => {
    const tokens = await Promise.all(
      ['carl', 'clara'].map(async (name) => (await api.signUp(name)).accessJwt),
    )
    const answers = await Promise.all(
      tokens.map((token, pod) =>
        api.post(`${identity}.updateHandle`, { handle: 'wish.one.test' }, { token, pod }),
      ),
    )
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 400])
  })
})

describe('resolution', () => {
  // SPEC IDN-17
  test('a DID has its document, an unknown one has none', async () => {
    const { did } = await api.signUp('dora')
    const answer = await api.get(`${identity}.resolveDid`, { did })
    expect(answer.body.didDoc).toMatchObject({ id: did, alsoKnownAs: ['at://dora.one.test'] })
    const unknown = await api.get(`${identity}.resolveDid`, { did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' })
    expect(unknown).toMatchObject({ status: 400, body: { error: 'DidNotFound' } })
  })

  // SPEC IDN-2, IDN-17
  test('refreshIdentity sees what the cache does not', async () => {
    const { did } = await api.signUp('emil')
    await api.get(`${identity}.resolveIdentity`, { identifier: 'emil.one.test' })
    const { plc } = api.pods[0]!.deps
    await plc.submit(did, await plc.signOperation(did, { alsoKnownAs: ['at://other.one.test'] }))
    const cached = await api.get(`${identity}.resolveIdentity`, { identifier: did })
    expect(cached.body.handle).toBe('emil.one.test')
    const fresh = await api.post(`${identity}.refreshIdentity`, { identifier: did })
    expect(fresh.body).toMatchObject({ did, handle: 'handle.invalid' })
    expect((await api.get(`${identity}.resolveIdentity`, { identifier: did }, { pod: 1 })).body.handle).toBe(
      'handle.invalid',
    )
  })

  test('handles of the other host are not this host’s to know', async () => {
    await api.signUp('fritz', { handle: 'fritz.two.test' }, { host: 'two.test' })
    const own = await api.get(`${identity}.resolveHandle`, { handle: 'fritz.two.test' }, { host: 'two.test' })
    expect(own.status).toBe(200)
    const other = await api.get(`${identity}.resolveHandle`, { handle: 'fritz.two.test' })
    expect(other).toMatchObject({ status: 400, body: { error: 'HandleNotFound' } })
  })
})

describe('submitPlcOperation', () => {
  test('refuses what would take the account away', async () => {
    const { did, accessJwt: token } = await api.signUp('gerda')
    const { plc } = api.pods[0]!.deps
    const services = { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://two.test' } }
    const operation = await plc.signOperation(did, { services })
    const answer = await api.post(`${identity}.submitPlcOperation`, { operation }, { token })
    expect(answer).toMatchObject({
      status: 400,
      body: { error: 'InvalidRequest', message: 'Incorrect endpoint on atproto_pds service' },
    })
  })

  // SPEC PLC-4
  test('passes the directory’s refusal on', async () => {
    const { did, accessJwt: token } = await api.signUp('hilda')
    const operation = await api.pods[0]!.deps.plc.signOperation(did, {})
    const forged = { ...operation, sig: Buffer.alloc(64, 7).toString('base64url') }
    const answer = await api.post(`${identity}.submitPlcOperation`, { operation: forged }, { token })
    expect(answer).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    expect(await api.events(did)).toEqual(['identity', 'account', 'commit'])
  })
})

// SPEC SA-1, SA-2
describe('getServiceAuth', () => {
  type Change = { aud?: string; lxm?: string; exp?: () => string }
  const seconds = (ms: number) => String(Math.floor((Date.now() + ms) / 1000))

  test.each<[string, Change, string]>([
    ['an expiry in the past', { exp: () => seconds(-60_000) }, 'BadExpiration'],
    [
      'more than an hour',
      { exp: () => seconds(3_700_000), lxm: 'app.bsky.feed.getTimeline' },
      'BadExpiration',
    ],
    ['more than a minute for any method', { exp: () => seconds(90_000) }, 'BadExpiration'],
    ['a protected method', { lxm: 'com.atproto.identity.signplcoperation' }, 'InvalidRequest'],
    ['an audience that is none', { aud: 'https://api.example' }, 'InvalidRequest'],
    ['an audience of another method', { aud: 'did:key:zQ3sh' }, 'InvalidRequest'],
  ])('refuses %s', async (_name, change: Change, error) => {
    const token = (await session()).accessJwt
    const { exp, ...rest } = change
    const query = { aud: 'did:web:api.example', ...rest, ...(exp === undefined ? {} : { exp: exp() }) }
    const answer = await api.get('com.atproto.server.getServiceAuth', query, { token })
    expect(answer).toMatchObject({ status: 400, body: { error } })
  })

  test('signs for a service with the account’s key', async () => {
    const { did, accessJwt: token } = await session()
    const params = { aud: 'did:web:api.example#bsky_appview', lxm: 'app.bsky.feed.getTimeline' }
    const { body } = await api.get('com.atproto.server.getServiceAuth', params, { token })
    const [header, payload] = body.token
      .split('.')
      .map((part: string) => Buffer.from(part, 'base64url').toString())
    expect(JSON.parse(header)).toEqual({ typ: 'JWT', alg: 'ES256K' })
    const claims = JSON.parse(payload)
    expect(claims).toMatchObject({ iss: did, ...params, jti: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(claims.exp - claims.iat).toBe(60)
  })

  let signedUp: Promise<any> | undefined
  function session(): Promise<any> {
    signedUp ??= api.signUp('ingrid')
    return signedUp
  }
})

// SPEC IDN-4
describe('well-known names', () => {
  const proof = { method: 'GET', url: '/.well-known/atproto-did' } as const

  test('a handle proves its DID while the account is active', async () => {
    const { did, accessJwt: token } = await api.signUp('jack')
    const answer = await api.request(proof, { host: 'Jack.one.test' })
    expect(answer).toMatchObject({ status: 200, body: did })
    expect(answer.headers['content-type']).toMatch(/^text\/plain/)
    await api.post('com.atproto.server.deactivateAccount', {}, { token })
    expect(await api.request(proof, { host: 'jack.one.test' })).toMatchObject({ status: 404 })
    expect(await api.request(proof, { host: 'nobody.one.test' })).toMatchObject({ status: 404 })
    expect(await api.request(proof, { host: 'one.test' })).toMatchObject({ status: 404 })
  })

  test('a custom handle that points here proves its DID too', async () => {
    const { did } = await api.signUp('karla')
    await api.db.pool.query(`update account set handle = 'karla.example.com' where did = $1`, [did])
    expect(await api.request(proof, { host: 'karla.example.com' })).toMatchObject({ status: 200, body: did })
    expect(await api.request(proof, { host: 'other.example.com' })).toMatchObject({ status: 404 })
  })

  test('a handle’s name serves nothing else', async () => {
    await api.signUp('lena')
    const answer = await api.get('com.atproto.server.describeServer', {}, { host: 'lena.one.test' })
    expect(answer.status).toBe(404)
  })

  test('each host has its DID document', async () => {
    const answer = await api.request({ method: 'GET', url: '/.well-known/did.json' }, { host: 'two.test' })
    expect(answer.body).toMatchObject({
      id: 'did:web:two.test',
      service: [
        { id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: 'https://two.test' },
      ],
    })
  })
})
