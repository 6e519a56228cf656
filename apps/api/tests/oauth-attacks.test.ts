import { randomBytes } from 'node:crypto'

import { JoseKey } from '@atproto/oauth-client-node'
import { must } from '@rookery/std'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestBrowser } from './oauth-flow.ts'
import { type Person, RawApp, challengeOf, startWithApp } from './raw-app.ts'
import type { TestApi } from './test-api.ts'

let api: TestApi
let alice: Person
let app: RawApp

beforeAll(async () => {
  ;({ api, alice, app } = await startWithApp())
})
afterAll(() => api[Symbol.asyncDispose]())

const invalidGrant = { status: 400, body: { error: 'invalid_grant' } }
const invalidProof = { status: 401, body: { error: 'invalid_dpop_proof' } }
const invalidToken = { status: 401 }

describe('a code', () => {
  // SPEC OA-8
  test('that is used again ends what it began', async () => {
    const grant = await app.authorize(alice)
    const { body: tokens } = await app.exchange(grant, { pod: 0 })
    expect((await app.call(tokens)).status).toBe(200)
    expect(await app.exchange(grant, { pod: 1 })).toMatchObject(invalidGrant)
    expect(await app.call(tokens)).toMatchObject(invalidToken)
    expect(await app.refresh(tokens)).toMatchObject(invalidGrant)
  })

  test('that two pods are shown at once leaves no session, whoever is first', async () => {
    for (let round = 0; round < 5; round++) {
      const grant = await app.authorize(alice)
      const answers = await Promise.all([app.exchange(grant, { pod: 0 }), app.exchange(grant, { pod: 1 })])
      const good = answers.filter(({ status }) => status === 200)
      expect(good.length).toBeLessThanOrEqual(1)
      for (const { body } of good) {
        expect(await app.call(body)).toMatchObject(invalidToken)
        expect(await app.refresh(body)).toMatchObject(invalidGrant)
      }
    }
  })

  test('that is shown again before the first one has its tokens is good for neither', async () => {
    const grant = await app.authorize(alice)
    // The first one has spent the code, and waits for something else.
    const provider = await api.pods[0]!.deps.oauth.get(
      must(await api.pods[0]!.deps.directory.findHost('one.test')),
    )
    const consumed = await provider.requestManager.consumeCode(grant.code as never)
    expect(await app.exchange(grant, { pod: 1 })).toMatchObject(invalidGrant)
    const client = await provider.clientManager.getClient(app.clientId)
    const { account } = await provider.accountManager.getAccount(must(consumed.did))
    const made = provider.tokenManager.createToken(
      client,
      must(consumed.clientAuth) as never,
      {} as never,
      account,
      null,
      consumed.parameters,
      grant.code as never,
    )
    await expect(made).rejects.toThrow(/shown twice/)
  })

  // SPEC OA-7, OA-19
  test.each<[string, (attacker: JoseKey) => { proof?: object; form?: Record<string, string> }]>([
    ['another key', (key) => ({ proof: { key } })],
    ['another secret', () => ({ form: { code_verifier: randomBytes(32).toString('base64url') } })],
    ['another redirect', () => ({ form: { redirect_uri: 'http://127.0.0.1/other' } })],
  ])('is worth nothing with %s, and is spent', async (_what, change) => {
    const grant = await app.authorize(alice)
    const { proof = {}, form } = change(await JoseKey.generate(['ES256'], 'attacker'))
    expect((await app.exchange(grant, { proof }, form)).status).toBe(400)
    expect(await app.exchange(grant)).toMatchObject(invalidGrant)
  })

  test('is worth nothing to another app', async () => {
    const grant = await app.authorize(alice)
    const thief = await RawApp.local(api, 'atproto')
    expect((await thief.exchange(grant)).status).toBe(400)
  })

  test('is worth nothing when it is late', async () => {
    const grant = await app.authorize(alice)
    await api.db.pool.query(`update oauth_request set expires_at = now() - interval '1 second'`)
    expect(await app.exchange(grant)).toMatchObject(invalidGrant)
  })

  // SPEC OA-7
  test('of a challenge that was used before is refused', async () => {
    const one = await app.authorize(alice)
    expect((await app.exchange(one)).status).toBe(200)
    const again = await app.authorize(alice, { code_challenge: challengeOf(one.verifier) })
    expect(await app.exchange({ ...again, verifier: one.verifier })).toMatchObject(invalidGrant)
  })
})

describe('a pushed request', () => {
  // SPEC OA-5
  test('is for one browser', async () => {
    const { body } = await app.push()
    const url = app.authorizeUrl(body.request_uri)
    expect((await new TestBrowser(api).open(url)).status).toBe(200)
    const { location } = await new TestBrowser(api).open(url)
    expect(new URL(must(location)).searchParams.get('error')).toBe('access_denied')
  })

  test('is consented to once', async () => {
    const browser = new TestBrowser(api)
    const { requestUri } = await app.authorize(alice, {}, { browser })
    const again = await browser.call('consent', { did: alice.did })
    expect(new URL(again.body.url).searchParams.get('error')).toBe('access_denied')
    expect((await browser.open(app.authorizeUrl(requestUri))).status).toBe(400)
  })

  test('is for the app that pushed it', async () => {
    const { body } = await app.push()
    const thief = await RawApp.local(api, 'atproto')
    const { location } = await new TestBrowser(api).open(thief.authorizeUrl(body.request_uri))
    expect(new URL(must(location)).searchParams.get('error')).toBe('access_denied')
  })

  test('is over after its time', async () => {
    const { body } = await app.push()
    expect(body.expires_in).toBeLessThanOrEqual(300)
    await api.db.pool.query(`update oauth_request set expires_at = now() - interval '1 second'`)
    const { location } = await new TestBrowser(api).open(app.authorizeUrl(body.request_uri))
    expect(new URL(must(location)).searchParams.get('error')).toBe('access_denied')
  })

  // SPEC OA-6, OA-7, OA-12, OA-19
  test.each<[string, Record<string, string>, object?]>([
    ['state', { state: '' }],
    ['a challenge', { code_challenge: '', code_challenge_method: '' }],
    ['a hash as its challenge', { code_challenge_method: 'plain' }],
    ['a method for its challenge', { code_challenge_method: '' }],
    ['a whole hash', { code_challenge: 'a'.repeat(42) }],
    ['the one way to write its hash', { code_challenge: `${'a'.repeat(42)}b` }],
    ['atproto among its scopes', { scope: 'transition:generic' }],
    ['scopes', { scope: '' }],
    ['scopes of its metadata', { scope: 'atproto transition:email' }],
    ['a redirect of its metadata', { redirect_uri: 'http://127.0.0.1/elsewhere' }],
    ['an IP address in its redirect', { redirect_uri: 'http://localhost/callback' }],
    ['a redirect that stays', { redirect_uri: 'https://evil.example/callback' }],
    ['one response type', { response_type: 'token' }],
    ['a proof of its key', {}, { proof: null }],
    ['the key that it names', { dpop_jkt: 'a'.repeat(43) }],
  ])('is refused without %s', async (_what, change, options) => {
    const { status, body } = await app.push(change, options)
    expect([Math.floor(status / 100), body.request_uri]).toEqual([4, undefined])
  })

  // SPEC OA-12, OA-15
  test('may name a port of the user’s machine', async () => {
    expect((await app.push({ redirect_uri: 'http://127.0.0.1:4321/callback' })).status).toBe(201)
  })

  // SPEC OA-6
  test('that names an account is for that account', async () => {
    const bob = { ...(await api.signUp('bob')), password: 'bob-pass' }
    const { sent } = await app.authorize(bob, { login_hint: alice.handle })
    expect(sent.searchParams.get('error')).toBe('access_denied')
    expect((await app.authorize(alice, { login_hint: alice.did })).code).not.toBe('')
  })
})

describe('a proof', () => {
  // SPEC OA-22
  test('is good once, on all pods', async () => {
    await app.push()
    const proof = await app.proof('POST', 'https://one.test/oauth/par')
    expect((await app.push({}, { proof, pod: 0 })).status).toBe(201)
    expect(await app.push({}, { proof, pod: 1 })).toMatchObject(invalidProof)
  })

  test('is good once with a token as well', async () => {
    const tokens = await app.signIn(alice)
    const jti = 'the same'
    const proof = { claims: { jti } }
    expect((await app.call(tokens, { proof, pod: 0 })).status).toBe(200)
    expect(await app.call(tokens, { proof, pod: 1 })).toMatchObject(invalidToken)
  })

  // SPEC OA-20, OA-21
  test.each([
    ['no nonce', { nonce: undefined }],
    ['a nonce of its own', { nonce: 'mine' }],
  ])('with %s is told the next one', async (_what, claims) => {
    const answer = await app.push({}, { proof: { claims } })
    expect(answer).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' } })
    expect(answer.headers['dpop-nonce']).toMatch(/^.{43}$/)
    expect(answer.headers['access-control-expose-headers']).toMatch(/dpop-nonce/i)
    const atResource = await app.call(await app.signIn(alice), { proof: { claims } })
    expect(atResource.status).toBe(401)
    expect(atResource.headers['www-authenticate']).toMatch(/^DPoP .*error="use_dpop_nonce"/)
    expect(atResource.headers['dpop-nonce']).toMatch(/^.{43}$/)
    expect(atResource.headers['access-control-expose-headers']).toMatch(/dpop-nonce.*www-authenticate/i)
  })

  const seconds = Math.floor(Date.now() / 1_000)
  const proofs: [string, { header?: object; claims?: object }][] = [
    ['of another method', { claims: { htm: 'PUT' } }],
    ['of another path', { claims: { htu: 'https://one.test/oauth/other' } }],
    ['of another host', { claims: { htu: 'https://two.test/oauth/par' } }],
    ['of another port', { claims: { htu: 'https://one.test:8443/oauth/par' } }],
    ['of plain HTTP', { claims: { htu: 'http://one.test/oauth/par' } }],
    ['of no address', { claims: { htu: undefined } }],
    ['of yesterday', { claims: { iat: seconds - 86_400 } }],
    ['of tomorrow', { claims: { iat: seconds + 86_400 } }],
    ['of no time', { claims: { iat: undefined } }],
    ['without an identifier', { claims: { jti: undefined } }],
    ['of another type', { header: { typ: 'JWT' } }],
    ['without its key', { header: { jwk: undefined } }],
  ]
  // SPEC OA-22
  test.each(proofs)('%s is refused', async (_what, proof) => {
    expect(await app.push({}, { proof })).toMatchObject(invalidProof)
  })

  test('that shows its private key, or is signed with none, is refused', async () => {
    const header = { jwk: app.key.privateJwk }
    expect(await app.push({}, { proof: { header } })).toMatchObject(invalidProof)
    const honest = await app.proof('POST', 'https://one.test/oauth/par')
    const [, payload = ''] = honest.split('.')
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'dpop+jwt', jwk: app.key.bareJwk }))
    const unsigned = `${none.toString('base64url')}.${payload}.`
    expect(await app.push({}, { proof: unsigned })).toMatchObject(invalidProof)
  })
})

describe('an access token', () => {
  // SPEC OA-22, OA-23
  test.each<[string, () => Promise<object>]>([
    ['with another key', async () => ({ proof: { key: await JoseKey.generate(['ES256'], 'x') } })],
    ['with the proof for another token', async () => ({ proof: { claims: { ath: challengeOf('x') } } })],
    ['with the proof for none', async () => ({ proof: { claims: { ath: undefined } } })],
    ['with the proof for another method', async () => ({ proof: { claims: { htm: 'POST' } } })],
    [
      'with the proof for another host',
      async () => ({ proof: { claims: { htu: 'https://two.test/xrpc/x' } } }),
    ],
    ['without a proof', async () => ({ proof: null })],
    ['at another host', async () => ({ host: 'two.test' })],
  ])('is refused %s', async (_how, change) => {
    const tokens = await app.signIn(alice)
    const answer = await app.call(tokens, await change())
    expect(answer.status).toBe(401)
    expect(answer.headers['dpop-nonce']).toMatch(/^.{43}$/)
    expect((await app.call(tokens)).status).toBe(200)
  })

  // SPEC OA-10, OA-24
  test('is over after a quarter of an hour', async () => {
    const { body } = await app.exchange(await app.authorize(alice))
    expect(body.expires_in).toBeLessThanOrEqual(900)
    expect(body).toMatchObject({ token_type: 'DPoP', sub: alice.did, scope: app.scope })
    await api.db.pool.query(`update oauth_token set expires_at = now() - interval '1 second'`)
    expect(await app.call(body)).toMatchObject(invalidToken)
  })
})

describe('a refresh token', () => {
  // SPEC OA-26
  test('that is used again ends the session', async () => {
    const first = await app.signIn(alice)
    const { body: second } = await app.refresh(first, { pod: 0 })
    expect((await app.call(second)).status).toBe(200)
    expect(await app.call(first)).toMatchObject(invalidToken)
    expect(await app.refresh(first, { pod: 1 })).toMatchObject(invalidGrant)
    expect(await app.call(second)).toMatchObject(invalidToken)
    expect(await app.refresh(second)).toMatchObject(invalidGrant)
  })

  // SPEC OA-19
  test('is worth nothing with another key, or to another app', async () => {
    const key = await JoseKey.generate(['ES256'], 'attacker')
    expect((await app.refresh(await app.signIn(alice), { proof: { key } })).status).toBe(400)
    const thief = await RawApp.local(api, 'atproto')
    expect((await thief.refresh(await app.signIn(alice))).status).toBe(400)
  })

  test('gets no more than the account allowed', async () => {
    const tokens = await app.signIn(alice, { scope: 'atproto' })
    const { body } = await app.refresh(tokens, {}, { scope: 'atproto transition:generic' })
    expect(body.scope).toBe('atproto')
  })

  // SPEC OA-25
  test('of a public app is good for two weeks, and its session is over after them', async () => {
    const late = await app.signIn(alice)
    await api.db.pool.query(
      `update oauth_token set updated_at = now() - interval '14 days 1 minute', created_at = now() - interval '13 days'`,
    )
    expect(await app.refresh(late)).toMatchObject(invalidGrant)
    const old = await app.signIn(alice)
    await api.db.pool.query(`update oauth_token set created_at = now() - interval '14 days 1 minute'`)
    expect(await app.refresh(old)).toMatchObject(invalidGrant)
  })

  test('is revoked by who holds its key, and by nobody else', async () => {
    const tokens = await app.signIn(alice)
    const form = { token: tokens.refresh_token }
    const key = await JoseKey.generate(['ES256'], 'attacker')
    expect((await app.send('/oauth/revoke', form, { proof: { key } })).status).toBe(200)
    expect((await app.call(tokens)).status).toBe(200)
    expect((await app.send('/oauth/revoke', form)).status).toBe(200)
    expect(await app.call(tokens)).toMatchObject(invalidToken)
    expect(await app.refresh(tokens)).toMatchObject(invalidGrant)
  })
})

describe('what belongs to one host is nothing at another', () => {
  // SPEC OA-9
  test('a code, a refresh token and a request; and each answer says whose it is', async () => {
    const grant = await app.authorize(alice)
    expect(grant.sent.searchParams.get('iss') ?? '').toBe('https://one.test')
    expect(grant.sent.searchParams.get('state')).toBe('a state')
    expect(await app.exchange(grant, { host: 'two.test' })).toMatchObject(invalidGrant)
    const { body: tokens } = await app.exchange(grant)
    expect(await app.refresh(tokens, { host: 'two.test' })).toMatchObject(invalidGrant)
    expect(
      (await app.send('/oauth/revoke', { token: tokens.refresh_token }, { host: 'two.test' })).status,
    ).toBe(200)
    expect((await app.call(tokens)).status).toBe(200)
    const { body: pushed } = await app.push()
    const opened = await new TestBrowser(api, 'two.test').open(app.authorizeUrl(pushed.request_uri))
    expect(opened.status).toBe(400)
  })
})
