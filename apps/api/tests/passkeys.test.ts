import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { PageBrowser, unescapeHtml } from './page-browser.ts'
import { SoftwareAuthenticator } from './software-authenticator.ts'
import { TestApi } from './test-api.ts'

const origin = 'https://one.test'
const add = '/security/passkeys/add'
const use = '/sign-in/passkey'
let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

function optionsOf(browser: PageBrowser, action: string): any {
  const form = browser.page.body.split('<form').find((text) => text.includes(`action="${action}"`)) ?? ''
  return JSON.parse(unescapeHtml(/data-options="([^"]*)"/.exec(form)?.[1] ?? ''))
}

async function withPasskey(name: string) {
  const { handle, did } = await api.signUp(name)
  const browser = new PageBrowser(api)
  await browser.signIn(handle, `${name}-pass`)
  const device = new SoftwareAuthenticator(origin)
  const credential = device.create(optionsOf(browser, add))
  await browser.submit(add, { name: 'my phone', credential })
  return { handle, did, browser, device, credential }
}

async function signInWith(device: SoftwareAuthenticator, browser = new PageBrowser(api)) {
  await browser.open('/sign-in')
  const credential = device.get(optionsOf(browser, use))
  return {
    browser,
    credential,
    fields: browser.hiddenFields(use),
    page: await browser.submit(use, { credential }),
  }
}

describe('a passkey', () => {
  test('is added, signs in by itself without name or password, and is removed', async () => {
    const { handle, did, browser, device } = await withPasskey('keeper')
    expect(browser.page.body).toContain('The passkey is added.')
    expect(browser.page.body).toContain('my phone')
    const first = await signInWith(device)
    expect(first.page.body).toContain('<h1>Security</h1>')
    expect(first.page.body).toContain(handle)
    await first.browser.submit('/security/passkeys/remove')
    expect((await signInWith(device)).page).toMatchObject({
      status: 400,
      body: expect.stringContaining('This passkey is not known here'),
    })
    const { rows } = await api.db.pool.query<{ action: string }>(
      `select action from audit_entry where did = $1 and action like 'account.passkey.%' order by id`,
      [did],
    )
    expect(rows.map(({ action }) => action)).toEqual(['account.passkey.add', 'account.passkey.remove'])
  })

  test('stands in for password and code of an account that wants a second factor', async () => {
    const { did, device } = await withPasskey('both')
    await api.db.pool.query(
      'update account set email_confirmed_at = now(), email_auth_factor = true where did = $1',
      [did],
    )
    expect((await signInWith(device)).page.body).toContain('<h1>Security</h1>')
  })

  test('signs a challenge once, in the browser that was given it', async () => {
    const { device } = await withPasskey('once')
    const { browser, credential, fields } = await signInWith(device)
    expect((await browser.post(use, { ...fields, credential })).status).toBe(400)
    await browser.open('/sign-in')
    expect((await browser.submit(use, { credential })).status).toBe(400)
    const other = new PageBrowser(api)
    await other.open('/sign-in')
    const stolen = device.get(optionsOf(other, use))
    const thief = new PageBrowser(api)
    await thief.open('/sign-in')
    expect((await thief.submit(use, { credential: stolen })).status).toBe(400)
    const replayed = device.get(optionsOf(other, use))
    const uses = await Promise.all(
      [0, 1].map(() => other.post(use, { ...other.hiddenFields(use), credential: replayed })),
    )
    expect(uses.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 400])
  })

  test('is refused of another site, without its owner, and when its counter does not rise', async () => {
    const { device } = await withPasskey('strictly')
    await signInWith(device)
    device.isVerified = false
    expect((await signInWith(device)).page.status).toBe(400)
    device.isVerified = true
    await signInWith(device)
    device.isStuck = true
    expect((await signInWith(device)).page.status).toBe(400)
    device.isStuck = false
    expect((await signInWith(device)).page.status).toBe(200)
    const browser = new PageBrowser(api)
    await browser.signIn('strictly.one.test', 'strictly-pass')
    const elsewhere = new SoftwareAuthenticator('https://evil.test')
    const credential = elsewhere.create(optionsOf(browser, add))
    expect((await browser.submit(add, { name: 'x', credential })).status).toBe(400)
    for (const broken of ['', '{}', 'null', '{"id":1}', '{"id":"x"}', '[', `"${'x'.repeat(9_000)}"`]) {
      await browser.open('/security')
      expect((await browser.submit(add, { name: 'x', credential: broken })).status, broken).toBe(400)
      await browser.open('/sign-in')
      expect((await browser.submit(use, { credential: broken })).status, broken).toBe(400)
    }
  })

  test('does not open an account through another host', async () => {
    const { device } = await withPasskey('lonely')
    const browser = new PageBrowser(api, 'two.test')
    expect((await signInWith(device, browser)).page.status).toBe(400)
  })

  test('is not added by a challenge to sign in, nor twice', async () => {
    const { browser, device, credential } = await withPasskey('twice')
    expect((await browser.submit(add, { name: 'again', credential })).status).toBe(400)
    const again = device.create(optionsOf(browser, add))
    expect((await browser.submit(add, { name: 'again', credential: again })).body).toContain('there already')
    const page = new PageBrowser(api)
    await page.signIn('twice.one.test', 'twice-pass')
    const { challenge, ...rest } = optionsOf(page, add)
    await page.open('/sign-in')
    const mixed = new SoftwareAuthenticator(origin).create({
      ...rest,
      challenge: optionsOf(page, use).challenge,
    })
    expect(challenge).not.toBe(undefined)
    await page.open('/security')
    expect((await page.submit(add, { name: 'mixed', credential: mixed })).status).toBe(400)
  })
})

describe('a browser', () => {
  test('that is trusted is asked for no code, until a password is reset or all are distrusted', async () => {
    const { handle, did } = await api.signUp('trusting')
    const email = 'trusting@mail.test'
    await api.db.pool.query(
      'update account set email_confirmed_at = now(), email_auth_factor = true where did = $1',
      [did],
    )
    const browser = new PageBrowser(api)
    const signIn = (one: PageBrowser) => one.signIn(handle, 'trusting-pass')
    await signIn(browser)
    await browser.submit('/sign-in/code', { code: await api.mailedToken(email), trust: 'yes' })
    expect((await signIn(browser)).body).toContain('In 1 of your browsers')
    expect((await signIn(new PageBrowser(api))).body).toContain('<h1>One more step</h1>')
    await browser.open('/security')
    await browser.submit('/security/distrust')
    expect((await signIn(browser)).body).toContain('<h1>One more step</h1>')
    await browser.submit('/sign-in/code', { code: await api.mailedToken(email), trust: 'yes' })
    await browser.submit('/security/sign-out')
    expect((await signIn(browser)).body).toContain('<h1>One more step</h1>')
  })

  test('that is new is told to the owner, the first one and known ones are not', async () => {
    const { handle } = await api.signUp('watched')
    const alerts = async () =>
      (await api.mails('watched@mail.test')).filter(
        ({ subject }) => subject === 'A new sign-in to your account',
      )
    const browser = new PageBrowser(api)
    for (let n = 0; n < 2; n++) await browser.signIn(handle, 'watched-pass')
    expect(await alerts()).toHaveLength(0)
    await new PageBrowser(api).signIn(handle, 'watched-pass')
    expect(await alerts()).toHaveLength(1)
    await browser.signIn(handle, 'watched-pass')
    expect(await alerts()).toHaveLength(1)
  })
})
