import { hash } from 'node:crypto'

import { totpCode } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { base32 } from './base32.ts'
import { localApp } from './oauth-flow.ts'
import { PageBrowser } from './page-browser.ts'
import { TestApi } from './test-api.ts'

let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

type Owner = { did: string; handle: string; name: string; accessJwt: string }

async function signUp(name: string): Promise<Owner> {
  return { ...(await api.signUp(name)), name }
}

/** A browser in which somebody just signed in with the password. */
async function signedIn(name: string): Promise<{ owner: Owner; browser: PageBrowser }> {
  const owner = await signUp(name)
  const browser = new PageBrowser(api)
  await browser.signIn(owner.handle, `${name}-pass`)
  expect(browser.page).toMatchObject({ status: 200, body: expect.stringContaining('<h1>Security</h1>') })
  return { owner, browser }
}

/** Sets an authenticator app up on the pages. */
async function setUpApp(browser: PageBrowser): Promise<{ secret: Buffer; codes: string[] }> {
  await browser.submit('/security/authenticator/begin')
  const text = />([A-Z2-7 ]{39})</.exec(browser.page.body)?.[1] ?? ''
  const secret = base32(text)
  await browser.submit('/security/authenticator/confirm', { code: totpCode(secret, Date.now() - 30_000) })
  return { secret, codes: browser.page.body.match(/[A-Z2-7]{5}-[A-Z2-7]{5}/g) ?? [] }
}

/** A page without what is new in each: the challenge, and these texts. */
function comparable(body: string, texts: string[]): string {
  return texts.reduce((left, text) => left.replaceAll(text, ''), body.replaceAll(/data-options="[^"]*"/g, ''))
}

async function auditOf(did: string): Promise<string[]> {
  const { rows } = await api.db.pool.query<{ action: string }>(
    'select action from audit_entry where did = $1 and actor = $1 order by id',
    [did],
  )
  return rows.map(({ action }) => action)
}

describe('the sign-in page', () => {
  test('opens the security page, and says the same to a wrong password as to nobody’s', async () => {
    const owner = await signUp('first')
    const pages = []
    for (const username of [owner.handle, 'nobody.one.test']) {
      const browser = new PageBrowser(api)
      const { status, body } = await browser.signIn(username, 'wrong-pass')
      const csrf = browser.hiddenFields('/sign-in')['csrf'] ?? ''
      pages.push({ status, body: comparable(body, [csrf, username]) })
    }
    expect(pages[0]).toEqual(pages[1])
    expect(pages[0]).toMatchObject({
      status: 400,
      body: expect.stringContaining('Invalid identifier or password'),
    })
    const browser = new PageBrowser(api)
    await browser.signIn('First@Mail.test', 'first-pass')
    expect(browser.page.body).toContain(owner.handle)
  })

  test('gives the browser other cookies, so that who knew the old ones is not signed in', async () => {
    const owner = await signUp('fixed')
    const browser = new PageBrowser(api)
    await browser.open('/sign-in')
    const known = new Map(browser.cookies)
    expect(known.has('__Host-ses-id')).toBe(true)
    await browser.signIn(owner.handle, 'fixed-pass')
    expect(browser.cookies.get('__Host-ses-id')).not.toBe(known.get('__Host-ses-id'))
  })

  test('does not know the other host’s accounts', async () => {
    const owner = await signUp('here')
    const { status } = await new PageBrowser(api, 'two.test').signIn(owner.handle, 'here-pass')
    expect(status).toBe(400)
  })

  test('leads on to pages of the host only', async () => {
    const owner = await signUp('leads')
    for (const next of [
      'https://evil.test/',
      '//evil.test',
      '/\\evil.test',
      '/oauth/authorize',
      'javascript:1',
      '/xrpc/x',
    ]) {
      const browser = new PageBrowser(api)
      await browser.open(`/sign-in?next=${encodeURIComponent(next)}`)
      const form = {
        ...browser.hiddenFields('/sign-in'),
        next,
        username: owner.handle,
        password: 'leads-pass',
      }
      expect((await browser.post('/sign-in', form)).headers['location'], next).toBe('/security')
    }
  })

  test('lets nobody in whose account is taken down', async () => {
    const owner = await signUp('barred')
    const subject = { $type: 'com.atproto.admin.defs#repoRef', did: owner.did }
    const takedown = { subject, takedown: { applied: true, ref: 'test' } }
    await api.post('com.atproto.admin.updateSubjectStatus', takedown, { admin: true })
    const { status, body } = await new PageBrowser(api).signIn(owner.handle, 'barred-pass')
    expect(status).toBe(400)
    expect(body).toContain('Account has been taken down')
  })
})

describe('an authenticator app', () => {
  test('is set up, asked for, and removed', async () => {
    const { owner, browser } = await signedIn('sets')
    const { secret, codes } = await setUpApp(browser)
    expect(new Set(codes).size).toBe(10)
    const other = new PageBrowser(api)
    await other.signIn(owner.handle, 'sets-pass')
    expect(other.page.body).toContain('<h1>One more step</h1>')
    expect((await other.open('/security')).body).toContain('<h1>Sign in</h1>')
    await other.signIn(owner.handle, 'sets-pass')
    await other.submit('/sign-in/code', { code: '000000' })
    expect(other.page).toMatchObject({ status: 400, body: expect.stringContaining('That code is not right') })
    await other.submit('/sign-in/code', { code: totpCode(secret, Date.now()) })
    expect(other.page.body).toContain('<h1>Security</h1>')
    await other.submit('/security/authenticator/remove')
    expect(other.page.body).toContain('The authenticator app is removed.')
    const third = new PageBrowser(api)
    expect((await third.signIn(owner.handle, 'sets-pass')).body).toContain('<h1>Security</h1>')
    expect(await auditOf(owner.did)).toEqual([
      'account.authenticator.add',
      'account.sign-in.new-device',
      'account.authenticator.remove',
      'account.sign-in.new-device',
    ])
    const subjects = (await api.mails('sets@mail.test')).map(({ subject }) => subject)
    expect(subjects.filter((subject) => subject === 'Your second factors were changed')).toHaveLength(2)
  })

  test('stays unset after a wrong code, and nobody finds the secret in another browser', async () => {
    const { owner, browser } = await signedIn('wrong')
    await browser.submit('/security/authenticator/begin')
    await browser.submit('/security/authenticator/confirm', { code: '000000' })
    expect(browser.page).toMatchObject({ status: 400, body: expect.stringContaining('That is not the code') })
    const stranger = new PageBrowser(api)
    expect((await stranger.open('/security/authenticator')).body).toContain('<h1>Sign in</h1>')
    expect((await new PageBrowser(api).signIn(owner.handle, 'wrong-pass')).body).toContain(
      '<h1>Security</h1>',
    )
  })

  test('a step that was begun in one browser is not finished in another, nor for another account', async () => {
    const { owner, browser } = await signedIn('pending')
    const { codes } = await setUpApp(browser)
    const first = new PageBrowser(api)
    await first.signIn(owner.handle, 'pending-pass')
    const { pending = '', until = '' } = first.hiddenFields('/sign-in/code')
    const second = new PageBrowser(api)
    await second.open('/sign-in')
    const { csrf = '' } = second.hiddenFields('/sign-in')
    const stolen = await second.post('/sign-in/code', {
      csrf,
      pending,
      until,
      did: owner.did,
      code: codes[0]!,
    })
    expect(stolen).toMatchObject({ status: 400, body: expect.stringContaining('Please start again') })
    const { did: other } = await signUp('bystander')
    const fields = { ...first.hiddenFields('/sign-in/code'), did: other, code: 'x' }
    expect((await first.post('/sign-in/code', fields)).body).toContain('Please start again')
    const later = {
      ...first.hiddenFields('/sign-in/code'),
      until: String(Number(until) + 60_000),
      code: codes[0]!,
    }
    expect((await first.post('/sign-in/code', later)).body).toContain('Please start again')
  })
})

describe('codes by e-mail', () => {
  test('are turned on, mailed, and turned off with one', async () => {
    const { owner, browser } = await signedIn('letters')
    const email = 'letters@mail.test'
    await api.post('com.atproto.server.requestEmailConfirmation', undefined, { token: owner.accessJwt })
    const token = await api.mailedToken(email)
    await api.post('com.atproto.server.confirmEmail', { email, token }, { token: owner.accessJwt })
    await browser.open('/security')
    await browser.submit('/security/email-codes/on')
    expect(browser.page.body).toContain('Codes by e-mail are on.')
    const other = new PageBrowser(api)
    await other.signIn(owner.handle, 'letters-pass')
    await api.mailedToken(email)
    // The second form of that name: one without a code.
    await other.submit('/sign-in/code')
    await other.submit('/sign-in/code', { code: await api.mailedToken(email) })
    expect(other.page.body).toContain('<h1>Security</h1>')
    await other.submit('/security/email-codes/token')
    await other.submit('/security/email-codes/off', { token: 'AAAAA-AAAAA' })
    expect(other.page).toMatchObject({ status: 400, body: expect.stringContaining('Token is invalid') })
    await other.submit('/security/email-codes/off', { token: await api.mailedToken(email) })
    expect(other.page.body).toContain('Codes by e-mail are off.')
  })
})

describe('app passwords', () => {
  test('are made, shown once, and revoked', async () => {
    const { owner, browser } = await signedIn('maker')
    await browser.submit('/security/app-passwords', { name: '<b>client</b>' })
    const password = /[a-z2-7]{4}(-[a-z2-7]{4}){3}/.exec(browser.page.body)?.[0] ?? ''
    const login = { identifier: owner.handle, password }
    expect((await api.post('com.atproto.server.createSession', login)).status).toBe(200)
    await browser.open('/security')
    expect(browser.page.body).not.toContain(password)
    expect(browser.page.body).toContain('&lt;b&gt;client&lt;/b&gt;')
    await browser.submit('/security/app-passwords/revoke')
    expect((await api.post('com.atproto.server.createSession', login)).status).toBe(401)
    expect(await auditOf(owner.did)).toEqual(['account.app-password.make', 'account.app-password.revoke'])
  })
})

describe('what is dangerous', () => {
  test('wants a sign-in of the last minutes', async () => {
    const { owner, browser } = await signedIn('stale')
    await api.db.pool.query(
      `update oauth_device_account set authenticated_at = now() - interval '16 minutes'
        where account_id = (select id from account where did = $1)`,
      [owner.did],
    )
    const { body } = await browser.submit('/security/authenticator/begin')
    expect(body).toContain('<h1>Sign in</h1>')
    expect(body).toContain(`value="${owner.handle}"`)
    expect((await browser.open('/security')).body).toContain('<h1>Security</h1>')
  })

  test('is not done for another site, another browser or nobody', async () => {
    const { owner, browser } = await signedIn('forged')
    const fields = browser.hiddenFields('/security/authenticator/begin')
    const url = '/security/authenticator/begin'
    const attempts = [
      browser.post(url, fields, { origin: 'https://evil.test' }),
      browser.post(url, fields, { origin: 'null' }),
      browser.post(url, { did: owner.did }),
      browser.post(url, { ...fields, csrf: 'x' }),
      new PageBrowser(api).post(url, fields),
    ]
    for (const { status } of await Promise.all(attempts)) expect(status).toBe(403)
    const { rows } = await api.db.pool.query(
      'select 1 from totp where account_id = (select id from account where did = $1)',
      [owner.did],
    )
    expect(rows).toEqual([])
  })

  test('reaches no account that is not signed in with the browser', async () => {
    const { browser } = await signedIn('attacker')
    const victim = await signUp('target')
    const fields = { ...browser.hiddenFields('/security/sign-out'), did: victim.did }
    expect((await browser.post('/security/sign-out', fields)).headers['location']).toContain('/sign-in')
    const session = await api.get('com.atproto.server.getSession', {}, { token: victim.accessJwt })
    expect(session.status).toBe(200)
  })
})

describe('an app that wants somebody to sign in', () => {
  test('leads to our own page, with any second factor, and from there on', async () => {
    const { owner, browser: setter } = await signedIn('wanted')
    const { secret } = await setUpApp(setter)
    const { pathname, search } = await localApp(api, 'atproto').authorize(owner.handle)
    const browser = new PageBrowser(api)
    const navigate = {
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      'sec-fetch-site': 'cross-site',
    }
    const sent = await browser.inject({ method: 'GET', url: pathname + search, headers: navigate })
    expect(sent).toMatchObject({ status: 303, headers: { location: expect.stringMatching(/^\/sign-in\?/) } })
    await browser.open(String(sent.headers['location']))
    expect(browser.page.body).toContain(`value="${owner.handle}"`)
    await browser.submit('/sign-in', { username: owner.handle, password: 'wanted-pass' })
    await browser.submit('/sign-in/code', { code: totpCode(secret, Date.now()) })
    expect(browser.page.body).toContain('http-equiv="refresh"')
    const headers = { ...navigate, 'sec-fetch-site': 'same-origin' }
    const consent = await browser.inject({ method: 'GET', url: pathname + search, headers })
    expect(consent.status).toBe(200)
    expect(consent.body).toContain(owner.did)
  })

  test('may still have the provider’s page, and always has it for what only that does', async () => {
    const navigate = {
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      'sec-fetch-site': 'cross-site',
    }
    const { pathname, search } = await localApp(api, 'atproto').authorize('https://one.test')
    const asked = { method: 'GET', url: `${pathname}${search}&pages=provider`, headers: navigate } as const
    expect((await new PageBrowser(api).inject(asked)).status).toBe(200)
    const create = await localApp(api, 'atproto').authorize('https://one.test', { prompt: 'create' })
    const created = { ...asked, url: create.pathname + create.search }
    expect((await new PageBrowser(api).inject(created)).status).toBe(200)
  })
})

test('signing out everywhere ends every session', async () => {
  const { owner, browser } = await signedIn('everywhere')
  const login = { identifier: owner.handle, password: 'everywhere-pass' }
  const { refreshJwt } = (await api.post('com.atproto.server.createSession', login)).body
  await browser.submit('/security/sign-out')
  const refreshed = await api.post('com.atproto.server.refreshSession', undefined, { token: refreshJwt })
  expect(refreshed.status).toBe(400)
  expect((await browser.open('/security')).body).toContain('<h1>Sign in</h1>')
})

test('pages load nothing, run one script, and are not framed or kept', async () => {
  const { browser } = await signedIn('strict')
  for (const url of ['/', '/sign-in', '/security']) {
    const { headers, body } = await browser.open(url)
    const css = /<style>(.*)<\/style>/s.exec(body)?.[1] ?? ''
    const script = /<script>(.*)<\/script>/s.exec(body)?.[1] ?? ''
    const scripts = script === '' ? '' : `script-src 'sha256-${hash('sha256', script, 'base64')}'; `
    expect(script === '').toBe(url === '/')
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; style-src 'sha256-${hash('sha256', css, 'base64')}'; ` +
        `${scripts}img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    )
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-frame-options': 'DENY' })
    expect(body.replace(script, '')).not.toMatch(/<script[^>]| on[a-z]+=|style="|src="https?:/)
    expect(body).toMatch(/<html lang="en">/)
  }
})
