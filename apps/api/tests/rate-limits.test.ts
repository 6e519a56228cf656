import { updateHost, updateTenant } from '@rookery/tenants'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { PageBrowser } from './page-browser.ts'
import { type Answer, type CallOptions, TestApi } from './test-api.ts'

const bypassKey = 'a-key-of-the-monitoring'
const collection = 'com.example.note'

let api: TestApi
beforeEach(async () => {
  api = await TestApi.start({
    ROOKERY_LIMITS_RATE: 'on',
    ROOKERY_LIMITS_RATE_OVERRIDES: 'get-repo-ip=4/60,operator-failed-ip=5/60',
    ROOKERY_LIMITS_BYPASS_KEY: bypassKey,
    ROOKERY_LIMITS_BYPASS_RANGES: '192.0.2.0/24,2001:db8::/32',
    ROOKERY_HTTP_TRUSTED_PROXIES: '127.0.0.1',
  })
})
afterEach(() => api[Symbol.asyncDispose]())

const from = (address: string): CallOptions => ({ headers: { 'x-forwarded-for': address } })
const describe_ = (options: CallOptions): Promise<Answer> =>
  api.get('com.atproto.server.describeServer', {}, options)
const signIn = (identifier: string, password: string, options: CallOptions = {}): Promise<Answer> =>
  api.post('com.atproto.server.createSession', { identifier, password }, options)

/** Calls until it is refused; returns how often it was not. */
async function allowed(most: number, call: (n: number) => Promise<Answer>): Promise<number> {
  for (let n = 0; n < most; n++) {
    const answer = await call(n)
    if (answer.status === 429) return n
  }
  return most
}

async function override(change: { host?: object; tenant?: object }): Promise<void> {
  const { kysely } = api.db.database
  if (change.host !== undefined) await updateHost(kysely, 'one.test', { rateLimits: change.host as {} })
  if (change.tenant !== undefined) {
    await updateTenant(kysely, 'one', { settings: { rateLimits: change.tenant as {} } })
  }
  for (const { deps } of api.pods) await deps.directory.refresh()
}

const perMinute = (points: number) => ({ points, windowMs: 60_000 })

// SPEC XR-9
test('every answer tells the tightest limit and what is left of it', async () => {
  const first = await describe_(from('203.0.113.1'))
  expect(first.headers).toMatchObject({
    'ratelimit-limit': '3000',
    'ratelimit-remaining': '2999',
    'ratelimit-policy': '3000;w=300',
  })
  const resetSeconds = Number(first.headers['ratelimit-reset'])
  expect(resetSeconds - Date.now() / 1_000).toBeGreaterThan(290)
  expect(resetSeconds - Date.now() / 1_000).toBeLessThan(302)
  const refused = await signIn('nobody.one.test', 'wrong', from('203.0.113.1'))
  expect(refused.status).toBe(401)
  expect(refused.headers).toMatchObject({ 'ratelimit-policy': '30;w=300', 'ratelimit-remaining': '29' })
})

// SPEC XR-4, XR-9
test('a refusal says when to come back, also to pages of other origins', async () => {
  await override({ host: { 'global-ip': perMinute(0) } })
  const { status, body, headers } = await describe_(from('203.0.113.1'))
  expect(status).toBe(429)
  expect(body).toEqual({ error: 'RateLimitExceeded', message: 'Rate Limit Exceeded' })
  expect(Number(headers['retry-after'])).toBeGreaterThan(50)
  expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60)
  expect(headers).toMatchObject({ 'ratelimit-remaining': '0', 'access-control-allow-origin': '*' })
})

// SPEC XR-10
describe('signing in', () => {
  test('is limited to 30 attempts by identifier and address, on all pods together', async () => {
    const attempt = (n: number) => signIn('Nobody.one.test', 'wrong', { ...from('203.0.113.2'), pod: n % 2 })
    expect(await allowed(40, attempt)).toBe(30)
    expect((await signIn('nobody.one.test', 'wrong', from('203.0.113.2'))).status).toBe(429)
    expect((await signIn('nobody.one.test', 'wrong', from('203.0.113.3'))).status).toBe(401)
    expect(
      (await signIn('nobody.two.test', 'wrong', { ...from('203.0.113.2'), host: 'two.test' })).status,
    ).toBe(401)
  })

  test('one address cannot try one password on many accounts, while many may sign in from it', async () => {
    await override({ host: { 'sign-in-failed-ip': perMinute(5) } })
    await api.signUp('alice', {}, from('203.0.113.4'))
    for (let n = 0; n < 10; n++) {
      expect((await signIn('alice.one.test', 'alice-pass', from('203.0.113.4'))).status).toBe(200)
    }
    expect(await allowed(20, (n) => signIn(`guess${n}.one.test`, 'Summer2026', from('203.0.113.4')))).toBe(5)
  })
})

test('a browser that the account knows is not kept out by who tries passwords from its address', async () => {
  const { handle } = await api.signUp('nearby', {}, from('203.0.113.30'))
  await override({ host: { 'sign-in': perMinute(5), 'sign-in-failed-ip': perMinute(5) } })
  const [known, strange] = [new PageBrowser(api), new PageBrowser(api)]
  const enter = (browser: PageBrowser) => browser.signIn(handle, 'nearby-pass')
  expect((await enter(known)).body).toContain('<h1>Security</h1>')
  expect(await allowed(20, () => signIn(handle, 'wrong', {}))).toBeLessThanOrEqual(5)
  expect((await enter(strange)).status).toBe(429)
  expect((await enter(known)).body).toContain('<h1>Security</h1>')
  for (let n = 0; n < 5; n++) await known.signIn(handle, 'wrong')
  expect(known.page.status).toBe(429)
})

test('one address cannot try passwords of the operator, on whatever host; right ones do not count', async () => {
  const address = '203.0.113.7'
  const wrong = {
    ...from(address).headers,
    authorization: `Basic ${Buffer.from('admin:guess').toString('base64')}`,
  }
  const codes = 'com.atproto.admin.getInviteCodes'
  for (let n = 0; n < 10; n++)
    expect((await api.get(codes, {}, { ...from(address), admin: true })).status).toBe(200)
  const invalid = await api.get(codes, { limit: 'x' }, { ...from(address), admin: true })
  expect(invalid.status).toBe(400)
  const attempt = (n: number): Promise<Answer> =>
    api.get(codes, {}, { headers: wrong, host: n % 2 === 0 ? 'one.test' : 'two.test' })
  expect(await allowed(20, attempt)).toBe(5)
  const did = 'did:web:nobody.test'
  expect((await api.get('com.atproto.sync.getRepo', { did }, { headers: wrong })).status).toBe(429)
  expect((await api.get(codes, {}, { ...from(address), admin: true })).status).toBe(429)
  expect((await api.get(codes, {}, { ...from('203.0.113.8'), admin: true })).status).toBe(200)
})

test('password resets are limited by address and by mailbox', async () => {
  const ask = (email: string, address: string) =>
    api.post('com.atproto.server.requestPasswordReset', { email }, from(address))
  expect(await allowed(20, (n) => ask(`somebody${n}@mail.test`, '203.0.113.5'))).toBe(15)
  expect(
    await allowed(20, (n) => ask(n % 2 === 0 ? 'Bob@mail.test' : ' bob@mail.test', `198.51.100.${n}`)),
  ).toBe(15)
})

test('an account may ask for five mails of a kind in an hour', async () => {
  const { accessJwt: token } = await api.signUp('carol')
  const ask = (method: string, n: number) =>
    api.post(`com.atproto.server.${method}`, undefined, { token, ...from(`198.51.100.${n}`) })
  expect(await allowed(9, (n) => ask('requestAccountDelete', n))).toBe(5)
  expect(await allowed(9, (n) => ask('requestEmailUpdate', n))).toBe(5)
})

// SPEC XR-10
describe('writes', () => {
  test('take 3, 2 and 1 points of their account, whatever the method and the pod', async () => {
    const { did, accessJwt: token } = await api.signUp('dave')
    const write = (method: string, input: object, pod: number) =>
      api.post(`com.atproto.repo.${method}`, { repo: did, ...input }, { token, pod })
    const left = (answer: Answer) => Number(answer.headers['ratelimit-remaining'])
    await override({ host: { 'global-ip': null, 'repo-write-hour': perMinute(100) } })
    const record = { a: 1 }
    const create = await write('createRecord', { collection, rkey: 'one', record }, 0)
    expect(create.headers).toMatchObject({ 'ratelimit-limit': '100', 'ratelimit-policy': '100;w=60' })
    expect(left(create)).toBe(97)
    expect(left(await write('putRecord', { collection, rkey: 'one', record: { a: 2 } }, 0))).toBe(95)
    expect(left(await write('deleteRecord', { collection, rkey: 'one' }, 0))).toBe(94)
    const type = 'com.atproto.repo.applyWrites'
    const writes = [
      { $type: `${type}#create`, collection, rkey: 'two', value: record },
      { $type: `${type}#update`, collection, rkey: 'two', value: record },
      { $type: `${type}#delete`, collection, rkey: 'two' },
    ]
    expect(left(await write('applyWrites', { writes }, 0))).toBe(88)
    // The other pod learns of it with its first count.
    await vi.waitFor(async () =>
      expect(left(await write('deleteRecord', { collection, rkey: 'x' }, 1))).toBeLessThan(88),
    )
  })

  test('a tenant may allow its accounts more, a host all of its own, one account the most', async () => {
    const dave = await api.signUp('dave')
    const erin = await api.signUp('erin', { handle: 'erin.two.test' }, { host: 'two.test' })
    const write = (who: { did: string; accessJwt: string }, host: string) =>
      api.post(
        'com.atproto.repo.deleteRecord',
        { repo: who.did, collection, rkey: 'missing' },
        { token: who.accessJwt, host },
      )
    await override({ host: { 'repo-write-hour': perMinute(2) }, tenant: { 'repo-write-hour': perMinute(4) } })
    expect(await allowed(9, () => write(dave, 'one.test'))).toBe(4)
    expect(await allowed(9, () => write(erin, 'two.test'))).toBe(9)
    await override({
      tenant: { 'repo-write-hour': perMinute(4), [`repo-write-hour@${dave.did}`]: perMinute(8) },
    })
    // Five were taken: the first one beyond a limit counts as well.
    expect(await allowed(9, () => write(dave, 'one.test'))).toBe(3)
  })
})

// SPEC XR-10
test('exports count by themselves', async () => {
  const { did } = await api.signUp('frank')
  const get = () => api.get('com.atproto.sync.getRepo', { did }, from('203.0.113.6'))
  expect(await allowed(9, get)).toBe(4)
  expect((await describe_(from('203.0.113.6'))).headers['ratelimit-remaining']).toBe('2999')
})

// SPEC PX-8
test('calls that are passed on count as those that are not', async () => {
  await override({ host: { 'global-ip': perMinute(3) } })
  const { accessJwt: token } = await api.signUp('petra', {}, from('203.0.113.40'))
  const ask = () => api.get('app.bsky.graph.getFollows', {}, { token, ...from('203.0.113.41') })
  expect(await allowed(6, ask)).toBe(3)
  expect((await describe_(from('203.0.113.41'))).status).toBe(429)
})

test('the addresses of one IPv6 network count as one', async () => {
  await override({ host: { 'global-ip': perMinute(3) } })
  expect(await allowed(9, (n) => describe_(from(`2001:db9:1:2::${n}`)))).toBe(3)
  expect((await describe_(from('2001:db9:1:3::1'))).status).toBe(200)
})

test('the bypass key and addresses in the bypass ranges are not limited', async () => {
  await override({ host: { 'global-ip': perMinute(0), 'sign-in': perMinute(0) } })
  expect((await describe_({ headers: { 'x-ratelimit-bypass': bypassKey } })).status).toBe(200)
  expect((await describe_({ headers: { 'x-ratelimit-bypass': `${bypassKey}x` } })).status).toBe(429)
  expect((await describe_(from('192.0.2.200'))).status).toBe(200)
  expect((await describe_(from('2001:db8:ffff::1'))).status).toBe(200)
  expect((await describe_(from('192.0.3.1'))).status).toBe(429)
  expect((await signIn('nobody.one.test', 'wrong', from('192.0.2.1'))).status).toBe(401)
})

test('a refused upload is not read, and a preflight request is never refused', async () => {
  const { accessJwt } = await api.signUp('grace')
  await override({ host: { 'upload-blob-day': perMinute(0) } })
  const upload = await api.request(
    { method: 'POST', url: '/xrpc/com.atproto.repo.uploadBlob', payload: Buffer.alloc(1_000) },
    { token: accessJwt, headers: { 'content-type': 'image/png' } },
  )
  expect(upload).toMatchObject({ status: 429, headers: { connection: 'close' } })
  await override({ host: { 'global-ip': perMinute(0) } })
  const preflight = await api.request(
    { method: 'OPTIONS', url: '/xrpc/com.atproto.server.getSession' },
    { headers: { origin: 'https://app.test', 'access-control-request-method': 'GET' } },
  )
  expect(preflight.status).toBe(204)
})
