import { captchaOwner, getTenant, setCaptchaSecret } from '@rookery/tenants'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { TestBrowser } from './oauth-flow.ts'
import { RawApp } from './raw-app.ts'
import { TestApi } from './test-api.ts'

const verifyUrl = 'https://api.hcaptcha.com/siteverify'
const secret = '0x-the-secret-of-tenant-one'
const siteKey = '10000000-ffff-ffff-ffff-000000000001'
const solved = { success: true, challenge_ts: '2026-01-01T00:00:00Z', hostname: 'one.test' }

let api: TestApi
let names = 0
/** What hCaptcha was asked. */
let asked: URLSearchParams[] = []

beforeAll(async () => {
  api = await TestApi.start()
})
beforeEach(async () => {
  asked = []
  answers(solved)
  const { id } = await getTenant(api.db.database.kysely, 'one')
  const wrapped = api.pods[0]!.deps.wrapper.wrap(Buffer.from(secret), captchaOwner({ id }))
  await setCaptchaSecret(api.db.pool, id, wrapped)
  await api.set('one', { captchaSiteKey: siteKey, captchaScoreMax: 0.5 })
})
afterEach(() => api.set('one', { captchaSiteKey: null, inviteRequired: false }))
afterAll(() => api[Symbol.asyncDispose]())

function answers(answer: object): void {
  api.web.set(verifyUrl, (body: string) => {
    asked.push(new URLSearchParams(body))
    return answer
  })
}

function newcomer(change: object = {}): { handle: string; email: string; password: string } {
  const name = `person${names++}`
  return { handle: `${name}.one.test`, email: `${name}@mail.test`, password: 'a-long-password', ...change }
}

async function opened(host = 'one.test') {
  const app = await RawApp.local(api)
  const browser = new TestBrowser(api, host)
  const { request_uri: requestUri } = (await app.push({}, { host })).body
  return { browser, page: await browser.open(app.authorizeUrl(requestUri, host)) }
}

async function signUp(change: object) {
  const { browser } = await opened()
  return browser.call('sign-up', { locale: 'en', ...newcomer(), ...change })
}

describe('the sign-up page of a tenant with a captcha', () => {
  test('takes a captcha that hCaptcha takes, and tells it the secret of the tenant', async () => {
    expect((await signUp({ hcaptchaToken: 'solved' })).status).toBe(200)
    expect(asked).toHaveLength(1)
    expect(Object.fromEntries(asked[0]!)).toMatchObject({ secret, sitekey: siteKey, response: 'solved' })
  })

  test.each([
    ['none', solved, {}],
    ['one that is wrong', { ...solved, success: false }, { hcaptchaToken: 'wrong' }],
    ['one that a machine solved', { ...solved, score: 0.5 }, { hcaptchaToken: 'scored' }],
  ])('refuses %s', async (_case, answer, change) => {
    answers(answer)
    expect((await signUp(change)).status).toBe(400)
  })

  test('refuses everybody while hCaptcha does not answer, or no secret is stored', async () => {
    api.web.delete(verifyUrl)
    expect((await signUp({ hcaptchaToken: 'solved' })).status).toBe(400)
    answers(solved)
    const { id } = await getTenant(api.db.database.kysely, 'one')
    await setCaptchaSecret(api.db.pool, id, null)
    await api.set('one', {})
    expect((await signUp({ hcaptchaToken: 'solved' })).status).toBe(400)
    expect(asked).toHaveLength(0)
  })

  test('lets hCaptcha in, which pages of others do not, and never shows the secret', async () => {
    const policyOf = async (host: string) => {
      const { browser, page } = await opened(host)
      expect(page.body).not.toContain(secret)
      return { body: page.body, policy: String(browser.headers['content-security-policy']) }
    }
    const own = await policyOf('one.test')
    expect(own.body).toContain(siteKey)
    expect(own.policy).toMatch(/script-src [^;]*https:\/\/\*\.hcaptcha\.com/)
    const other = await policyOf('two.test')
    expect(other.policy).not.toContain('hcaptcha')
    expect(other.body).not.toContain(siteKey)
  })
})

describe('createAccount of a tenant with a captcha', () => {
  test('makes no new identity, unless an invite code is shown', async () => {
    const closed = await api.post('com.atproto.server.createAccount', newcomer())
    expect(closed).toMatchObject({ status: 403, body: { error: 'SignUpClosed' } })
    const boastful = newcomer({ hasSolvedCaptcha: true })
    expect((await api.post('com.atproto.server.createAccount', boastful)).status).toBe(403)
    await api.set('one', { inviteRequired: true })
    const { body } = await api.post('com.atproto.server.createInviteCode', { useCount: 1 }, { admin: true })
    const invited = await api.post('com.atproto.server.createAccount', newcomer({ inviteCode: body.code }))
    expect(invited.status).toBe(200)
  })
})
