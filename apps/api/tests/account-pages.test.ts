import { OAuthCallbackError } from '@atproto/oauth-client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestBrowser, localApp } from './oauth-flow.ts'
import { TestApi } from './test-api.ts'

const pages = 'https://one.test/account'

let api: TestApi
beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

const newcomer = (name: string) => ({
  locale: 'fr',
  handle: `${name}.one.test`,
  email: `${name}@mail.test`,
  password: `${name}-pass`,
})

/** A browser whose owner signed up on the account pages. */
async function signedUp(name: string): Promise<{ browser: TestBrowser; did: string }> {
  const browser = new TestBrowser(api)
  await browser.open(pages)
  const { status, body } = await browser.signUp(newcomer(name))
  expect(status).toBe(200)
  return { browser, did: body.account.did }
}

/** How signing in ends, with handle and password, as older apps do. */
async function signIn(name: string, password = `${name}-pass`) {
  const { status, body } = await api.post('com.atproto.server.createSession', {
    identifier: `${name}.one.test`,
    password,
  })
  return status === 200 ? body : body.error
}

/** Changes the password on the page that is open, by the code that is mailed. */
async function resetPassword(browser: TestBrowser, name: string, password: string): Promise<void> {
  const email = `${name}@mail.test`
  expect((await browser.call('reset-password-request', { locale: 'en', email })).status).toBe(200)
  const token = await api.mailedToken(email)
  expect((await browser.call('reset-password-confirm', { token, password })).status).toBe(200)
}

// SPEC OA-28
describe('the account pages', () => {
  test('let somebody sign up, and know them from then on', async () => {
    const { browser, did } = await signedUp('anna')
    expect((await browser.open(pages)).body).toContain('anna.one.test')
    expect(await signIn('anna')).toMatchObject({ did, active: true })
  })

  test('know several accounts, and forget who did not want to be remembered', async () => {
    const { browser } = await signedUp('berta')
    await api.signUp('clara')
    await api.signUp('dora')
    await browser.open(pages)
    await browser.signIn('clara.one.test', 'clara-pass', { remember: true })
    const dora = await browser.signIn('dora.one.test', 'dora-pass', { remember: false })
    expect(dora.body.ephemeralToken).toBeTypeOf('string')
    const { body } = await browser.open(pages)
    expect(['berta', 'clara', 'dora'].filter((name) => body.includes(`${name}.one.test`))).toEqual([
      'berta',
      'clara',
    ])
    const returned = new TestBrowser(api)
    for (const [name, value] of browser.cookies) returned.cookies.set(name, value)
    await returned.open(pages)
    const request = await returned.call('verify-email-request', { did: dora.body.account.did })
    expect(request.status).toBe(401)
  })

  test('change the password', async () => {
    const { browser } = await signedUp('emma')
    await resetPassword(browser, 'emma', 'another-pass')
    expect(await signIn('emma')).toBe('AuthenticationRequired')
    expect(await signIn('emma', 'another-pass')).toMatchObject({ active: true })
  })

  test('confirm an address, and change it', async () => {
    const { browser, did } = await signedUp('frieda')
    const [email, other] = ['frieda@mail.test', 'friederike@mail.test']
    expect((await browser.call('verify-email-request', { did })).status).toBe(200)
    const token = await api.mailedToken(email)
    expect((await browser.call('verify-email-confirm', { did, email, token })).status).toBe(200)
    expect(await signIn('frieda')).toMatchObject({ email, emailConfirmed: true })

    expect((await browser.call('update-email-request', { did })).body).toEqual({ tokenRequired: true })
    const change = { did, email: other, token: await api.mailedToken(email) }
    expect((await browser.call('update-email-confirm', change)).status).toBe(200)
    expect(await signIn('frieda')).toMatchObject({ email: other, emailConfirmed: false })
    const confirm = { did, email: other, token: await api.mailedToken(other) }
    expect((await browser.call('verify-email-confirm', confirm)).status).toBe(200)
    expect(await signIn('frieda')).toMatchObject({ email: other, emailConfirmed: true })
  })
})

// SPEC OA-28
describe('the sign-in pages of an app', () => {
  const client = () => localApp(api, 'atproto transition:generic')

  test('let somebody sign up', async () => {
    const app = client()
    const browser = new TestBrowser(api)
    await browser.open(await app.authorize('https://one.test', {}))
    const { body } = await browser.signUp(newcomer('gerda'))
    const { session } = await app.callback((await browser.consent(body.account.did)).searchParams)
    expect(session.did).toBe(body.account.did)
  })

  test('tell the app that its user wants none of it', async () => {
    const app = client()
    const { handle } = await api.signUp('helga')
    const browser = new TestBrowser(api)
    await browser.open(await app.authorize(handle, {}))
    const { searchParams } = new URL((await browser.call('reject', {})).body.url)
    expect(searchParams.get('error')).toBe('access_denied')
    await expect(app.callback(searchParams)).rejects.toBeInstanceOf(OAuthCallbackError)
  })

  test('let somebody in who had forgotten the password', async () => {
    const app = client()
    const { handle, did } = await api.signUp('irma')
    const browser = new TestBrowser(api)
    await browser.open(await app.authorize(handle, {}))
    await resetPassword(browser, 'irma', 'remembered-pass')
    expect((await browser.signIn(handle, 'irma-pass')).status).toBe(400)
    expect((await browser.signIn(handle, 'remembered-pass')).status).toBe(200)
    expect((await app.callback((await browser.consent(did)).searchParams)).session.did).toBe(did)
  })

  test('ask nobody again whom they remember', async () => {
    const { handle, did } = await api.signUp('jutta')
    const browser = new TestBrowser(api)
    for (const isFirst of [true, false]) {
      const app = client()
      await browser.open(await app.authorize(handle, {}))
      if (isFirst) await browser.signIn(handle, 'jutta-pass', { remember: true })
      expect((await app.callback((await browser.consent(did)).searchParams)).session.did).toBe(did)
    }
  })

  test('answer a wrong password and an account that is not there alike', async () => {
    const { handle } = await api.signUp('karin')
    const browser = new TestBrowser(api)
    await browser.open(await client().authorize(handle, {}))
    // Values of headers are the request's own, such as its id.
    const answers = await Promise.all(
      [handle, 'nobody.one.test', 'nobody@mail.test'].map(async (identifier) => {
        const { status, body, headers } = await browser.signIn(identifier, 'wrong-pass')
        return { status, body, headers: Object.keys(headers) }
      }),
    )
    const [wrong, ...unknown] = answers
    expect(wrong?.status).toBe(400)
    for (const answer of unknown) expect(answer).toEqual(wrong)
  })
})
