import { JoseKey } from '@atproto/oauth-client-node'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { TestBrowser } from './oauth-flow.ts'
import { RawApp, confidentialApp, publishedApp } from './raw-app.ts'
import { TestApi } from './test-api.ts'

type Person = { did: string; handle: string; password: string }

const id = 'https://app.example.com/client.json'

let api: TestApi
let alice: Person
let key: JoseKey

beforeAll(async () => {
  api = await TestApi.start()
  alice = { ...(await api.signUp('alice')), password: 'alice-pass' }
  key = await JoseKey.generate(['ES256'], 'first')
})
afterAll(() => api[Symbol.asyncDispose]())
beforeEach(() => forgetClients())

/** What a pod does some minutes later by itself. */
async function forgetClients(): Promise<void> {
  const { redis, keys } = api.pods[0]!.deps
  await redis.del(keys.oauthClient(id), keys.oauthClientKeys('https://app.example.com/keys.json'))
}

async function publish(document: object): Promise<void> {
  api.web.set(id, document)
  await forgetClients()
}

describe('metadata of an app', () => {
  const refused: [string, Record<string, unknown>][] = [
    ['of another app', { client_id: 'https://app.example.com/other.json' }],
    ['without DPoP', { dpop_bound_access_tokens: false }],
    ['without codes', { grant_types: ['refresh_token'] }],
    ['of the implicit grant', { grant_types: ['authorization_code', 'implicit'] }],
    ['of other responses', { response_types: ['token'] }],
    ['without atproto', { scope: 'transition:generic' }],
    ['without scopes', { scope: undefined }],
    ['without redirects', { redirect_uris: [] }],
    ['with a redirect to plain HTTP', { redirect_uris: ['http://app.example.com/callback'] }],
    ['with a redirect to the user’s machine', { redirect_uris: ['http://127.0.0.1/callback'] }],
    [
      'with a scheme that is another’s',
      { application_type: 'native', redirect_uris: ['com.example.other:/callback'] },
    ],
    ['with a scheme of no name', { application_type: 'native', redirect_uris: ['myapp:/callback'] }],
    ['with credentials in its redirect', { redirect_uris: ['https://a:b@app.example.com/callback'] }],
    ['with a secret', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['with keys that are nowhere', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['with another’s page', { client_uri: 'https://bank.example.com/' }],
    ['with a logo of plain HTTP', { logo_uri: 'http://app.example.com/logo.png' }],
  ]
  // SPEC OA-12, OA-13, OA-14
  test.each(refused)('%s is refused', async (_what, change) => {
    await publish({ ...publishedApp(id), ...change })
    const app = await RawApp.published(api, id).catch(() => undefined)
    const { status, body } = await (app ?? (await RawApp.local(api))).push({
      client_id: id,
      redirect_uri: 'https://app.example.com/callback',
    })
    expect([status, body.request_uri]).toEqual([400, undefined])
  })

  // SPEC OA-13
  test.each([
    'https://127.0.0.1/client.json',
    'https://app.example.com:8443/client.json',
    'https://app.example.com',
    'https://a:b@app.example.com/client.json',
    'https://app.example.com/../client.json',
    'https://localhost/client.json',
    'http://app.example.com/client.json',
    'http://localhost:8080',
    'http://localhost/path',
    'http://localhost?unknown=1',
    'app',
  ])('at %s is not looked for', async (client_id) => {
    api.web.set(client_id, { ...publishedApp(id), client_id })
    const { status, body } = await (await RawApp.local(api)).push({ client_id })
    expect([status, body.request_uri]).toEqual([400, undefined])
  })

  test('is read once, and again when it may have changed', async () => {
    await publish(publishedApp(id))
    const app = await RawApp.published(api, id)
    expect((await app.push()).status).toBe(201)
    api.web.set(id, { ...publishedApp(id), scope: 'atproto' })
    expect((await app.push()).status).toBe(201)
    const { redis, keys } = api.pods[0]!.deps
    expect(await redis.pttl(keys.oauthClient(id))).toBeLessThanOrEqual(600_000)
    await forgetClients()
    expect((await app.push()).status).toBe(400)
  })

  // SPEC OA-12
  test('of a native app may name a scheme that is its own', async () => {
    const redirect_uris = ['com.example.app:/callback']
    await publish({ ...publishedApp(id), application_type: 'native', redirect_uris })
    expect((await (await RawApp.published(api, id)).push()).status).toBe(201)
  })

  // SPEC OA-18
  test('says nothing that its owner is told to believe', async () => {
    await publish({
      ...publishedApp(id),
      client_uri: 'https://app.example.com/',
      logo_uri: 'https://app.example.com/logo.png',
    })
    const app = await RawApp.published(api, id)
    const { body } = await app.push()
    const page = await new TestBrowser(api).open(app.authorizeUrl(body.request_uri))
    expect(page.body).toContain('app.example.com/client.json')
    expect(page.body).toMatch(/clientTrusted[^a-z]+false/)
  })

  // SPEC OA-11
  test('of a public app does not let it sign in silently', async () => {
    await publish(publishedApp(id))
    const { status, body } = await (await RawApp.published(api, id)).push({ prompt: 'none' })
    expect([status, body.request_uri]).toEqual([400, undefined])
  })
})

describe('a confidential app', () => {
  async function start(...keys: JoseKey[]): Promise<RawApp> {
    await publish(confidentialApp(id, ...keys))
    return RawApp.published(api, id, keys[0])
  }

  // SPEC OA-16
  test.each<[string, object, (string | null)?]>([
    ['for another host', { aud: 'https://two.test' }],
    ['for nobody', { aud: undefined }],
    ['of another app', { iss: 'https://other.example.com/client.json' }],
    ['about another app', { sub: 'https://other.example.com/client.json' }],
    ['of an hour ago', { iat: Math.floor(Date.now() / 1_000) - 3_600 }],
    ['of no time', { iat: undefined }],
    ['without an identifier', { jti: undefined }],
    ['that is over', { exp: Math.floor(Date.now() / 1_000) - 60 }],
    ['of a key without a name', {}, null],
    ['of an unknown key', {}, 'other'],
  ])('does not prove itself by an assertion %s', async (_what, claims, kid = 'first') => {
    const app = await start(key)
    const client_assertion = await app.assert({ aud: 'https://one.test', ...claims }, kid)
    const { status, body } = await app.push({ client_assertion })
    expect([Math.floor(status / 100), body.request_uri]).toEqual([4, undefined])
  })

  // SPEC OA-16
  test('does not prove itself by none, by a key that is not its own, nor twice by one', async () => {
    const app = await start(key)
    expect((await app.push({ client_assertion: '', client_assertion_type: '' })).status).toBe(400)
    const client_assertion = await app.assert({ aud: 'https://one.test' })
    expect((await app.push({ client_assertion }, { pod: 0 })).status).toBe(201)
    expect((await app.push({ client_assertion }, { pod: 1 })).status).toBe(400)
    app.clientKey = await JoseKey.generate(['ES256'], 'first')
    expect((await app.push()).status).toBe(400)
  })

  // SPEC OA-16, OA-17
  test('signs in, and refreshes with the key that it signed in with alone', async () => {
    const second = await JoseKey.generate(['ES256'], 'second')
    const app = await start(key, second)
    const tokens = await app.signIn(alice)
    const { body } = await app.refresh(tokens)
    expect(body.access_token).toBeTypeOf('string')
    app.clientKey = second
    expect(await app.refresh(body)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect((await app.call(body)).status).toBe(401)
  })

  // SPEC OA-17
  test('refreshes no more once its key is withdrawn', async () => {
    const app = await start(key)
    const tokens = await app.signIn(alice)
    await publish(confidentialApp(id, await JoseKey.generate(['ES256'], 'second')))
    expect((await app.refresh(tokens)).status).toBeGreaterThanOrEqual(400)
    await publish({ ...publishedApp(id) })
    app.clientKey = undefined
    expect(await app.refresh(tokens)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  // SPEC OA-25
  test('refreshes for three months after the last time', async () => {
    const app = await start(key)
    const tokens = await app.signIn(alice)
    await api.db.pool.query(`update oauth_token set updated_at = now() - interval '60 days'`)
    const { body, status } = await app.refresh(tokens)
    expect(status).toBe(200)
    await api.db.pool.query(`update oauth_token set updated_at = now() - interval '92 days'`)
    expect(await app.refresh(body)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  // SPEC OA-11
  test('signs in silently for what the account allowed it, and for no more than that', async () => {
    const app = await start(key)
    const browser = new TestBrowser(api)
    const { body } = await app.push()
    await browser.open(app.authorizeUrl(body.request_uri))
    await browser.signIn(alice.handle, alice.password, { remember: true })
    await browser.consent(alice.did, 'atproto transition:email')
    const silently = async (scope: string): Promise<string | null> => {
      const pushed = await app.push({ prompt: 'none', scope, login_hint: alice.did })
      const { location } = await browser.open(app.authorizeUrl(pushed.body.request_uri))
      return new URL(location!).searchParams.get('error')
    }
    expect(await silently('atproto transition:email')).toBeNull()
    expect(await silently(app.scope)).toBe('consent_required')
  })
})

// SPEC OA-15
test('an app on the user’s machine needs no metadata', async () => {
  for (const [client_id, redirect_uri] of [
    ['http://localhost', 'http://127.0.0.1/'],
    ['http://localhost/', 'http://[::1]:4321/'],
    [
      'http://localhost?redirect_uri=http%3A%2F%2F127.0.0.1%2Fa&redirect_uri=http%3A%2F%2F127.0.0.1%2Fb',
      'http://127.0.0.1:1234/b',
    ],
  ]) {
    const request = { client_id: client_id!, redirect_uri: redirect_uri!, scope: 'atproto' }
    const app = await RawApp.local(api)
    expect((await app.push(request)).status, client_id).toBe(201)
    expect((await app.push({ ...request, redirect_uri: 'http://127.0.0.1/other' })).status).toBe(400)
    expect((await app.push({ ...request, scope: 'atproto transition:generic' })).status).toBe(400)
  }
})
