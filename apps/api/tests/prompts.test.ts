import { JoseKey } from '@atproto/oauth-client-node'
import { totpCode } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { base32 } from './base32.ts'
import { TestBrowser } from './oauth-flow.ts'
import { PageBrowser } from './page-browser.ts'
import { RawApp, confidentialApp } from './raw-app.ts'
import { TestApi } from './test-api.ts'

const navigate = {
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'cross-site',
}

/** Our page again, and not back to the app. */
const askedAgain = { status: 303, headers: { location: expect.stringMatching(/^\/sign-in\?/) } }

let api: TestApi
let app: RawApp
beforeAll(async () => {
  api = await TestApi.start()
  // The provider makes every app without a key of its own ask for consent, whatever it wanted.
  const id = 'https://app.example.com/client.json'
  const key = await JoseKey.generate(['ES256'], 'key')
  api.web.set(id, confidentialApp(id, key))
  app = await RawApp.published(api, id, key)
})
afterAll(() => api[Symbol.asyncDispose]())

/** Opens the app's request as a browser does, and the page of ours that it leads to. */
async function opened(browser: PageBrowser, change: Record<string, string>): Promise<string> {
  const { pathname, search } = new URL(app.authorizeUrl((await app.push(change)).body.request_uri))
  const sent = await browser.inject({ method: 'GET', url: pathname + search, headers: navigate })
  if (sent.status === 303) await browser.open(String(sent.headers['location']))
  return pathname + search
}

async function goOn(browser: PageBrowser, url: string) {
  const headers = { ...navigate, 'sec-fetch-site': 'same-origin' }
  return browser.inject({ method: 'GET', url, headers })
}

async function signedIn(...names: string[]) {
  const browser = new PageBrowser(api)
  const owners = []
  for (const name of names) {
    const owner = await api.signUp(name)
    await browser.signIn(owner.handle, `${name}-pass`)
    owners.push(owner)
  }
  return { browser, owners }
}

async function setUpApp(browser: PageBrowser): Promise<Buffer> {
  await browser.submit('/security/authenticator/begin')
  const secret = base32(/>([A-Z2-7 ]{39})</.exec(browser.page.body)?.[1] ?? '')
  await browser.submit('/security/authenticator/confirm', { code: totpCode(secret, Date.now() - 30_000) })
  return secret
}

describe('an app that wants its user to sign in anew', () => {
  test('gets that on our page, with an authenticator app too', async () => {
    const { browser, owners } = await signedIn('anew')
    const secret = await setUpApp(browser)
    const url = await opened(browser, { prompt: 'login', login_hint: owners[0].handle })
    expect(browser.page.body).toContain('<h1>Sign in</h1>')
    await browser.submit('/sign-in', { username: owners[0].handle, password: 'anew-pass' })
    await browser.submit('/sign-in/code', { code: totpCode(secret, Date.now()) })
    const consent = await goOn(browser, url)
    expect(consent.status).toBe(200)
    expect(consent.body).toContain('loginRequired\\":false')
  })

  test('is not satisfied by who is signed in already, nor by another account than it named', async () => {
    const { browser, owners } = await signedIn('named')
    const url = await opened(browser, { prompt: 'login', login_hint: owners[0].handle })
    expect(await goOn(browser, url)).toMatchObject(askedAgain)
    const other = await api.signUp('unnamed')
    await browser.submit('/sign-in', { username: other.handle, password: 'unnamed-pass' })
    expect(await goOn(browser, url)).toMatchObject(askedAgain)
    await browser.open(`/sign-in?next=${encodeURIComponent(url)}`)
    const choice = { ...browser.hiddenFields('/sign-in'), did: owners[0].did }
    await browser.post('/sign-in/continue', choice)
    expect(await goOn(browser, url), 'choosing is not signing in').toMatchObject(askedAgain)
  })

  test('is not satisfied by another browser', async () => {
    const { browser, owners } = await signedIn('split')
    const url = await opened(browser, { prompt: 'login' })
    await goOn(browser, `${url}&pages=provider`)
    const other = new PageBrowser(api)
    await other.signIn(owners[0].handle, 'split-pass', url)
    expect(await goOn(browser, url)).toMatchObject(askedAgain)
  })
})

describe('an app that wants its user to choose an account', () => {
  test('gets the one that was chosen on our page, and no other', async () => {
    const { browser, owners } = await signedIn('first', 'second')
    const url = await opened(browser, { prompt: 'select_account' })
    for (const { handle } of owners) expect(browser.page.body).toContain(`Continue as ${handle}`)
    const fields = { ...browser.hiddenFields('/sign-in/continue'), did: owners[0].did }
    const { body } = await browser.post('/sign-in/continue', fields)
    expect(body).toContain('http-equiv="refresh"')
    const consent = await goOn(browser, url)
    expect(consent.body).toContain(`selectedDid\\":\\"${owners[0].did}`)
  })

  test('lets nobody be chosen who is not signed in', async () => {
    const { browser } = await signedIn('chooser')
    const stranger = await api.signUp('stranger')
    const url = await opened(browser, { prompt: 'select_account' })
    const fields = { ...browser.hiddenFields('/sign-in/continue'), did: stranger.did }
    expect((await browser.post('/sign-in/continue', fields)).body).toContain('<h1>Sign in</h1>')
    expect(await goOn(browser, url)).toMatchObject(askedAgain)
  })
})

test('an app that names another account than the one that is signed in leads to our page', async () => {
  const { browser } = await signedIn('present')
  const absent = await api.signUp('absent')
  await opened(browser, { login_hint: absent.handle })
  expect(browser.page.body).toContain(`value="${absent.handle}"`)
})

test('the provider’s page asks for no code in a browser that is trusted', async () => {
  const { browser, owners } = await signedIn('trusty')
  const secret = await setUpApp(browser)
  const page = new TestBrowser(api)
  await page.open(app.authorizeUrl((await app.push()).body.request_uri))
  const enter = () => page.signIn(owners[0].handle, 'trusty-pass', { remember: true })
  expect(await enter()).toMatchObject({ body: { error: 'second_authentication_factor_required' } })
  const trusting = new PageBrowser(api)
  for (const [name, value] of page.cookies) trusting.cookies.set(name, value)
  await trusting.signIn(owners[0].handle, 'trusty-pass')
  await trusting.submit('/sign-in/code', { code: totpCode(secret, Date.now()), trust: 'yes' })
  for (const [name, value] of trusting.cookies) page.cookies.set(name, value)
  expect((await enter()).status).toBe(200)
})
