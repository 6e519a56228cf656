import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { createSafeFetch } from '@rookery/http'
import { must } from '@rookery/std'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { OAuthProviders } from '../src/oauth/providers.ts'
import { TestBrowser } from './oauth-flow.ts'
import { type Person, type RawApp, confidentialApp, startWithApp } from './raw-app.ts'
import type { TestApi } from './test-api.ts'

let api: TestApi
let alice: Person
let app: RawApp

beforeAll(async () => {
  ;({ api, alice, app } = await startWithApp())
})
afterAll(() => api[Symbol.asyncDispose]())

describe('a redirect', () => {
  const evil =
    '/oauth/authorize/redirect?redirect_mode=query&redirect_uri=https%3A%2F%2Fevil.example%2F&code=x'
  test.each([
    ['no page of ours', {}],
    [
      'another site',
      { 'sec-fetch-site': 'cross-site', referer: 'https://one.test/oauth/authorize?request_uri=urn:x' },
    ],
    ['another page', { 'sec-fetch-site': 'same-origin', referer: 'https://one.test/account' }],
    [
      'a page that was asked for nothing',
      { 'sec-fetch-site': 'same-origin', referer: 'https://one.test/oauth/authorize' },
    ],
  ])('does not come from %s', async (_who, headers) => {
    const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    const answer = await api.request({ url: evil }, { headers: { ...navigation, ...headers } })
    expect([answer.status, answer.headers['location']]).toEqual([400, undefined])
  })

  test('carries what the app sent as a value, whatever it is', async () => {
    const state = 'x\r\nset-cookie: a=b\r\n\r\n<script>"\'</script>&code=mine'
    const { sent } = await app.authorize(alice, { state })
    expect(sent.searchParams.get('state')).toBe(state)
    expect(sent.href).not.toMatch(/[\r\n<>"']/)
    const form = await app.push({ state, response_mode: 'form_post', redirect_uri: app.redirectUri })
    await api.db.pool.query('update oauth_request set expires_at = now() where code_hash is null')
    const { body, status } = await new TestBrowser(api).open(app.authorizeUrl(form.body.request_uri))
    expect(status).toBe(200)
    expect(body).toContain('access_denied')
    expect(body).not.toContain('<script>"')
    for (const uri of [
      'http://127.0.0.1/callback\r\nx: y',
      'javascript:alert(1)//',
      'http://127.0.0.1@evil.example/callback',
    ]) {
      expect((await app.push({ redirect_uri: uri })).status, uri).toBe(400)
    }
  })
})

describe('a page of another site', () => {
  const input = { locale: 'en', username: 'alice.one.test', password: 'alice-pass' }
  test.each<[string, Record<string, string>]>([
    ['without the token of the page', { 'x-csrf-token': '' }],
    ['with another token', { 'x-csrf-token': 'a'.repeat(24) }],
    ['as another site', { 'sec-fetch-site': 'cross-site' }],
    ['as a sibling', { 'sec-fetch-site': 'same-site' }],
    ['as CORS', { 'sec-fetch-mode': 'cors' }],
    ['from another origin', { origin: 'https://two.test' }],
    ['from another page', { referer: 'https://one.test/xrpc/x' }],
    ['from another origin’s page', { referer: 'https://two.test/oauth/authorize' }],
    ['from nowhere', { referer: '' }],
    ['as a form', { 'content-type': 'text/plain' }],
  ])('signs nobody in %s', async (_how, change) => {
    const browser = new TestBrowser(api)
    await browser.open(app.authorizeUrl((await app.push()).body.request_uri))
    expect((await browser.call('sign-in', input, change)).status).toBeGreaterThanOrEqual(400)
    expect((await browser.call('sign-in', input)).status).toBe(200)
  })
})

describe('a browser', () => {
  // SPEC OA-28
  test('takes its session from the host alone, over HTTPS alone, out of reach of scripts', async () => {
    const { body } = await app.push()
    const answer = await api.request(
      { url: `${app.authorizeUrl(body.request_uri).slice('https://one.test'.length)}&pages=provider` },
      { headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' } },
    )
    const cookies = answer.headers['set-cookie'] as string[]
    for (const name of ['dev-id', 'ses-id']) {
      const cookie = must(cookies.find((one) => one.startsWith(`__Host-${name}=`)))
      expect(cookie).toMatch(/; Path=\/; .*HttpOnly; Secure; SameSite=Lax/)
      expect(cookie).not.toMatch(/Domain/i)
    }
    expect(answer.headers).toMatchObject({
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'strict-transport-security': expect.stringMatching(/max-age=\d{7,}/),
    })
    const policy = String(answer.headers['content-security-policy'])
    expect(policy).toMatch(/default-src 'none'/)
    expect(policy).toMatch(/frame-ancestors 'none'/)
    expect(policy).toMatch(/base-uri 'none'/)
    expect(policy).toMatch(/img-src 'self' data:;/)
    expect(policy).not.toMatch(/https:|unsafe|\*/)
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
  })

  test('does not take a session that somebody planted', async () => {
    const attacker = new TestBrowser(api)
    await attacker.open(app.authorizeUrl((await app.push()).body.request_uri))
    const victim = new TestBrowser(api)
    for (const [name, value] of attacker.cookies) victim.cookies.set(name.replace('__Host-', ''), value)
    await app.authorize(alice, {}, { browser: victim })
    expect(victim.cookies.get('__Host-dev-id')).not.toBe(attacker.cookies.get('__Host-dev-id'))
  })

  test('has a new session once it signed in, and its old one is worth nothing', async () => {
    const browser = new TestBrowser(api)
    await browser.open(app.authorizeUrl((await app.push()).body.request_uri))
    const old = new TestBrowser(api)
    for (const [name, value] of browser.cookies) old.cookies.set(name, value)
    await browser.signIn(alice.handle, alice.password, { remember: true })
    expect(browser.cookies.get('__Host-ses-id')).not.toBe(old.cookies.get('__Host-ses-id'))
    // Two requests that cross are forgiven for five seconds.
    await api.db.pool.query(`update oauth_device set last_seen_at = now() - interval '6 seconds'`)
    await old.open(app.authorizeUrl((await app.push()).body.request_uri))
    expect(old.cookies.get('__Host-dev-id')).not.toBe(browser.cookies.get('__Host-dev-id'))
  })

  // SPEC OA-29
  test('that was left alone for a week asks for the password again', async () => {
    const browser = new TestBrowser(api)
    await browser.open(app.authorizeUrl((await app.push()).body.request_uri))
    await browser.signIn(alice.handle, alice.password, { remember: true })
    await api.db.pool.query(
      `update oauth_device_account set authenticated_at = now() - interval '7 days 1 minute'`,
    )
    const answer = await browser.call('consent', { did: alice.did })
    expect(new URL(answer.body.url).searchParams.get('error')).not.toBeNull()
  })
})

describe('the end of a browser’s session', () => {
  test('is asked for by a browser in which the account is signed in, and by no other', async () => {
    const deviceOf = (browser: TestBrowser) => browser.cookies.get('__Host-dev-id')
    const signedIn = async () => {
      const browser = new TestBrowser(api)
      await browser.open('https://one.test/account')
      await browser.signIn(alice.handle, alice.password, { remember: true })
      return browser
    }
    const isSignedIn = async (browser: TestBrowser) => {
      const { status } = await browser.call('update-email-request', { did: alice.did })
      return status === 200
    }
    const [one, other] = [await signedIn(), await signedIn()]
    const stranger = new TestBrowser(api)
    await stranger.open('https://one.test/account')
    const input = { did: alice.did, deviceId: deviceOf(one) }
    expect((await stranger.call('revoke-account-session', input)).status).toBe(401)
    const planted = { cookie: `__Host-dev-id=${deviceOf(one)}; __Host-ses-id=ses-${'0'.repeat(32)}` }
    expect((await stranger.call('revoke-account-session', input, planted)).status).not.toBe(200)
    expect(await isSignedIn(one)).toBe(true)
    expect((await other.call('revoke-account-session', input)).status).toBe(200)
    expect(await isSignedIn(one)).toBe(false)
    expect(await isSignedIn(other)).toBe(true)
  })
})

describe('servers that an app names', () => {
  test('are not asked inside the network', async () => {
    let asked = 0
    const inside = createServer((_request, response) => {
      asked++
      response.end('{}')
    })
    inside.on('connection', () => asked++)
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve))
    const { port } = inside.address() as AddressInfo
    const { deps } = api.pods[0]!
    const guarded = createSafeFetch({ allowPrivateNetwork: false })
    const metadata = 'https://app.example.com/client.json'
    const inner = [
      `https://127.0.0.1:${port}/keys`,
      `https://localhost:${port}/`,
      'https://[::1]/',
      'https://169.254.169.254/',
    ]
    for (const uri of inner) {
      const document = { ...confidentialApp(metadata), jwks: undefined, jwks_uri: uri }
      const fetch = (input: string | URL | Request, init?: RequestInit): Promise<Response> =>
        (input instanceof Request ? input.url : String(input)) === metadata
          ? Promise.resolve(Response.json(document))
          : guarded(input, init)
      const oauth = new OAuthProviders({ ...deps, fetch, secret: 'x' })
      const provider = await oauth.get(must(await deps.directory.findHost('one.test')))
      await deps.redis.flushdb()
      await expect(provider.clientManager.getClient(metadata as never), uri).rejects.toThrow(/./)
      for (const client of [`${uri}client.json`, uri.replace('https', 'http')]) {
        await expect(provider.clientManager.getClient(client as never), client).rejects.toThrow(/./)
      }
    }
    inside.close()
    expect(asked).toBe(0)
  })
})
