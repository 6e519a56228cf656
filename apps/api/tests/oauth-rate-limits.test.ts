import { updateHost } from '@rookery/tenants'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { TestBrowser } from './oauth-flow.ts'
import { PageBrowser } from './page-browser.ts'
import { RawApp } from './raw-app.ts'
import { TestApi } from './test-api.ts'

let api: TestApi
let app: RawApp
let browser: TestBrowser

beforeEach(async () => {
  api = await TestApi.start({ ROOKERY_LIMITS_RATE: 'on', ROOKERY_HTTP_TRUSTED_PROXIES: '127.0.0.1' })
  app = await RawApp.local(api)
  browser = new TestBrowser(api)
  await browser.open(app.authorizeUrl((await app.push()).body.request_uri))
})
afterEach(() => api[Symbol.asyncDispose]())

const from = (address: string) => ({ 'x-forwarded-for': address })

async function limit(buckets: Record<string, number>): Promise<void> {
  const entries = Object.entries(buckets).map(([name, points]) => [name, { points, windowMs: 60_000 }])
  await updateHost(api.db.database.kysely, 'one.test', { rateLimits: Object.fromEntries(entries) })
  for (const { deps } of api.pods) await deps.directory.refresh()
}

/** Calls until it is refused; returns how often it was not. */
async function allowed(most: number, call: (n: number) => Promise<{ status: number }>): Promise<number> {
  for (let n = 0; n < most; n++) if ((await call(n)).status === 429) return n
  return most
}

const signIn = (username: string, password: string, address = '203.0.113.1') =>
  browser.call('sign-in', { locale: 'en', username, password }, from(address))

// SPEC XR-10
describe('signing in', () => {
  test('takes of the same points as createSession, and a refusal says when to come back', async () => {
    await limit({ 'sign-in': 4 })
    const session = () =>
      api.post(
        'com.atproto.server.createSession',
        { identifier: 'alice.one.test', password: 'wrong' },
        { headers: from('203.0.113.1') },
      )
    expect([(await session()).status, (await session()).status]).toEqual([401, 401])
    expect((await signIn(' Alice.one.test', 'wrong')).status).toBe(400)
    expect((await signIn('alice.one.test', 'wrong')).status).toBe(400)
    expect(await signIn('alice.one.test', 'wrong')).toMatchObject({
      status: 429,
      body: { error: 'RateLimitExceeded', error_description: 'Rate Limit Exceeded' },
      headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
    })
    expect((await session()).status).toBe(429)
  })

  test('shuts nobody else out', async () => {
    await limit({ 'sign-in': 2 })
    await api.signUp('alice')
    expect(await allowed(5, () => signIn('alice.one.test', 'wrong', '203.0.113.66'))).toBe(2)
    expect((await signIn('alice.one.test', 'alice-pass', '203.0.113.7')).status).toBe(200)
  })

  test('one address cannot try one password on many accounts', async () => {
    await limit({ 'sign-in-failed-ip': 3 })
    expect(await allowed(9, (n) => signIn(`guess${n}.one.test`, 'Summer2026'))).toBe(3)
  })
})

test('codes of second factors can be tried a few times on our own page, too', async () => {
  await limit({ 'sign-in': 3 })
  const { did, handle } = await api.signUp('alice')
  await api.db.pool.query('update account set email_auth_factor = true where did = $1', [did])
  const page = new PageBrowser(api)
  await page.signIn(handle, 'alice-pass')
  const hidden = page.hiddenFields('/sign-in/code')
  const guess = (n: number) => page.post('/sign-in/code', { ...hidden, code: `AAAAA-AAAA${n}` })
  expect(await allowed(9, guess)).toBe(3)
})

test.each([
  ['sign-up', 'create-account-ip', {}],
  ['reset-password-request', 'request-reset-ip', { locale: 'en', email: 'nobody@mail.test' }],
  ['reset-password-confirm', 'reset-password-ip', { token: 'AAAAA-AAAAA', password: 'new-password' }],
  ['verify-email-request', 'request-mail', { did: 'did:plc:a' }],
  ['verify-email-confirm', 'mailed-code', { did: 'did:plc:a', token: 'AAAAA-AAAAA', email: 'a@mail.test' }],
  ['update-email-request', 'request-mail', { did: 'did:plc:a' }],
  ['update-email-confirm', 'mailed-code', { did: 'did:plc:a', token: 'AAAAA-AAAAA', email: 'a@mail.test' }],
  ['delete-account-request', 'request-mail', { did: 'did:plc:a' }],
  ['delete-account-confirm', 'delete-account-ip', { did: 'did:plc:a', token: 'AAAAA-AAAAA', password: 'x' }],
  ['update-handle', 'update-handle', { did: 'did:plc:a', handle: 'new.one.test' }],
])('%s takes points of %s', async (endpoint, bucket, input) => {
  await limit({ [bucket]: 2 })
  expect(await allowed(5, () => browser.call(endpoint, input, from('203.0.113.1')))).toBe(2)
})

test('questions for free handles are limited by address', async () => {
  await limit({ 'resolve-ip': 0 })
  const ask = { handle: 'new.one.test' }
  expect((await browser.call('verify-handle-availability', ask, from('203.0.113.1'))).status).toBe(429)
})

test('pushed requests, codes and tokens that are no good are limited by address', async () => {
  await limit({ 'oauth-push-ip': 3, 'oauth-failed-ip': 3 })
  expect(await allowed(9, () => app.push())).toBe(3)
  await limit({ 'oauth-failed-ip': 3 })
  const code = () => app.exchange({ code: `cod-${'0'.repeat(64)}`, verifier: 'x'.repeat(43) })
  const token = () =>
    app.refresh({ refresh_token: `ref-${'0'.repeat(64)}`, access_token: '', scope: '', sub: '' })
  expect(await allowed(9, (n) => (n % 2 === 0 ? code() : token()))).toBeLessThanOrEqual(3)
})
