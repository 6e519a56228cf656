import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { localApp, signInToApp } from './oauth-flow.ts'
import { PageBrowser } from './page-browser.ts'
import { TestApi } from './test-api.ts'

let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

async function signedIn(name: string, page: string) {
  const owner = await api.signUp(name)
  const browser = new PageBrowser(api)
  await browser.signIn(owner.handle, `${name}-pass`, page)
  expect(browser.page).toMatchObject({ status: 200, body: expect.stringContaining('aria-current="page"') })
  return { owner: { ...owner, name }, browser }
}

const login = (identifier: string, password: string) =>
  api.post('com.atproto.server.createSession', { identifier, password })

/** Every form of the pages, and what it is to be sent beside what is hidden. */
const forms: Record<string, string[]> = {
  '/settings': ['email', 'email-code', 'confirm', 'confirm-code', 'password', 'handle'],
  '/sessions': ['browser', 'app', 'password'],
  '/apps': ['revoke'],
  '/export': ['ask', 'delete'],
  '/leave': ['deactivate', 'activate', 'code', 'delete'],
}

describe.each(Object.entries(forms))('the page %s', (path, actions) => {
  const name = `p${path.slice(1)}`
  const fields = {
    email: 'x@mail.test',
    password: 'new-password',
    id: 'x',
    client: 'x',
    token: 'x',
    handle: 'x',
  }

  test('takes nothing from another site, another browser, or for another account', async () => {
    const { owner, browser } = await signedIn(name, path)
    const victim = await api.signUp(`${name}v`)
    const own = { ...fields, csrf: await markOf(browser), did: owner.did }
    for (const action of actions) {
      const url = `${path}/${action}`
      const attempts = [
        browser.post(url, own, { origin: 'https://evil.test' }),
        browser.post(url, own, { origin: 'null' }),
        browser.post(url, { ...own, csrf: 'x' }),
        new PageBrowser(api).post(url, own),
      ]
      for (const { status } of await Promise.all(attempts)) expect([url, status]).toEqual([url, 403])
      const other = await browser.post(url, { ...own, did: victim.did })
      expect(other.headers['location']).toMatch(/^\/sign-in\?/)
    }
    expect((await login(owner.handle, `${name}-pass`)).body.active).toBe(true)
    expect((await browser.post(`${path}/nothing`, own)).status).toBe(404)
  })

  test('wants a sign-in of the last minutes, and is nobody’s who is not signed in', async () => {
    const { owner, browser } = await signedIn(`${name}o`, path)
    const own = { ...fields, csrf: await markOf(browser), did: owner.did }
    await api.db.pool.query(
      `update oauth_device_account set authenticated_at = now() - interval '16 minutes'
        where account_id = (select id from account where did = $1)`,
      [owner.did],
    )
    for (const action of actions) {
      const { headers } = await browser.post(`${path}/${action}`, own)
      expect(headers['location']).toContain(`/sign-in?next=${encodeURIComponent(path)}`)
    }
    expect((await new PageBrowser(api).open(path)).body).toContain('<h1>Sign in</h1>')
    expect((await new PageBrowser(api, 'two.test').open(path)).body).toContain('<h1>Sign in</h1>')
  })
})

/** The mark of a browser's forms, on whatever page. */
async function markOf(browser: PageBrowser): Promise<string> {
  await browser.open('/leave')
  return mark(browser)
}

/** The mark that every form of the page carries. */
function mark({ page }: PageBrowser): string {
  const found = /name="csrf" value="([^"]*)"/.exec(page.body)?.[1]
  if (found === undefined) throw new Error('no form on the page')
  return found
}

describe('sessions', () => {
  test('are shown, and ended one by one: browsers, apps with a password, apps by OAuth', async () => {
    const { owner, browser } = await signedIn('sally', '/sessions')
    const legacy = (await login(owner.handle, 'sally-pass')).body
    const second = new PageBrowser(api)
    await second.signIn(owner.handle, 'sally-pass', '/sessions')
    const session = await signInToApp(api, localApp(api, 'atproto transition:generic'), {
      ...owner,
      password: 'sally-pass',
    })
    await browser.open('/sessions')
    expect(browser.page.body).toContain('this browser')
    expect(browser.page.body).toContain('http://localhost?')
    expect(browser.page.body).not.toContain(legacy.refreshJwt)

    await browser.submit('/sessions/app')
    expect(browser.page.body).toContain('The session is ended.')
    await expect(session.getTokenInfo(true)).rejects.toBeInstanceOf(Error)

    // The sign-up and the sign-in: both.
    for (let n = 0; n < 2; n++) await browser.submit('/sessions/password')
    expect(browser.page.body).not.toContain('action="/sessions/password"')
    const refreshed = await api.post('com.atproto.server.refreshSession', undefined, {
      token: legacy.refreshJwt,
    })
    expect(refreshed.status).toBe(400)

    const others = browser.page.body.split('<form ').filter((form) => form.includes('/sessions/browser'))
    expect(others.length).toBeGreaterThanOrEqual(2)
    const { rows } = await api.db.pool.query<{ device_id: string }>(
      `select device_id from oauth_device_account where account_id = (select id from account where did = $1)`,
      [owner.did],
    )
    const own = browser.cookies.get('__Host-dev-id')
    expect(rows.map(({ device_id: id }) => id)).toContain(own)
    for (const { device_id: id } of rows.toSorted(
      (a, b) => Number(a.device_id === own) - Number(b.device_id === own),
    )) {
      await browser.post('/sessions/browser', { csrf: mark(browser), did: owner.did, id })
    }
    expect((await second.open('/sessions')).body).toContain('<h1>Sign in</h1>')
    expect((await browser.open('/sessions')).body).toContain('<h1>Sign in</h1>')
  })

  test('of another account are ended by nobody', async () => {
    const { owner, browser } = await signedIn('sam', '/sessions')
    const victim = await api.signUp('vic')
    const session = await signInToApp(api, localApp(api, 'atproto transition:generic'), {
      ...victim,
      password: 'vic-pass',
    })
    const { rows } = await api.db.pool.query<{ id: string }>(
      `select id from refresh_token where account_id = (select id from account where did = $1)
       union all select id from oauth_token where account_id = (select id from account where did = $1)`,
      [victim.did],
    )
    expect(rows.length).toBeGreaterThanOrEqual(2)
    for (const { id } of rows) {
      for (const kind of ['app', 'password']) {
        await browser.post(`/sessions/${kind}`, { csrf: mark(browser), did: owner.did, id })
      }
    }
    expect((await session.getTokenInfo(true)).sub).toBe(victim.did)
    const { status } = await api.post('com.atproto.server.refreshSession', undefined, {
      token: victim.refreshJwt,
    })
    expect(status).toBe(200)
  })
})

describe('apps', () => {
  test('are shown with what they may do in words, and lose it', async () => {
    const { owner, browser } = await signedIn('anna', '/apps')
    expect(browser.page.body).toContain('There is none.')
    const scope = 'atproto repo:app.bsky.feed.post?action=create transition:email'
    const session = await signInToApp(api, localApp(api, scope), { ...owner, password: 'anna-pass' })
    const { body } = await browser.open('/apps')
    expect(body).toContain('create app.bsky.feed.post')
    expect(body).toContain('see your e-mail address')
    await browser.submit('/apps/revoke')
    expect(browser.page.body).toContain('There is none.')
    await expect(session.getTokenInfo(true)).rejects.toBeInstanceOf(Error)
    const { rows } = await api.db.pool.query(
      `select 1 from oauth_grant where account_id = (select id from account where did = $1)`,
      [owner.did],
    )
    expect(rows).toEqual([])
  })
})

describe('settings', () => {
  test('confirm the address, and change it with a code from the old one', async () => {
    const { owner, browser } = await signedIn('edith', '/settings')
    await browser.submit('/settings/confirm-code')
    await browser.submit('/settings/confirm', { confirmation: 'AAAAA-AAAAA' })
    expect(browser.page).toMatchObject({ status: 400, body: expect.stringContaining('Token is invalid') })
    await browser.submit('/settings/confirm', { confirmation: await api.mailedToken('edith@mail.test') })
    expect(browser.page.body).toContain('Your e-mail address is confirmed.')
    const fields = { email: 'edith2@mail.test' }
    await browser.submit('/settings/email', fields)
    expect(browser.page.status).toBe(400)
    await browser.submit('/settings/email-code')
    const token = await api.mailedToken('edith@mail.test')
    await browser.submit('/settings/email', { ...fields, token })
    expect(browser.page.body).toContain('Your e-mail address is changed.')
    await browser.submit('/settings/confirm', { confirmation: await api.mailedToken('edith2@mail.test') })
    const session = await login(owner.handle, 'edith-pass')
    expect(session.body).toMatchObject({ email: 'edith2@mail.test', emailConfirmed: true })
    const subjects = (await api.mails('edith@mail.test')).map(({ subject }) => subject)
    expect(subjects).toContain('The e-mail address of your account was changed')
  })

  test('change the password with the present one, and sign everybody out', async () => {
    const { owner, browser } = await signedIn('paula', '/settings')
    const change = { current: 'paula-pass', password: 'another-pass', repeat: 'another-pass' }
    for (const [wrong, said] of [
      [{ ...change, current: 'no' }, 'That is not your present password'],
      [{ ...change, repeat: 'other' }, 'The two new passwords are not the same.'],
      [{ ...change, password: 'x', repeat: 'x' }, 'assword'],
    ] as const) {
      await browser.submit('/settings/password', wrong)
      expect(browser.page.body).toMatch(new RegExp(`role="alert">[^<]*${said}`))
    }
    expect((await login(owner.handle, 'paula-pass')).status).toBe(200)
    await browser.submit('/settings/password', change)
    expect(browser.page.body).toContain('Your password is changed')
    expect((await browser.open('/settings')).body).toContain('<h1>Sign in</h1>')
    expect((await login(owner.handle, 'paula-pass')).status).toBe(401)
    expect((await login(owner.handle, 'another-pass')).status).toBe(200)
    const { status } = await api.post('com.atproto.server.refreshSession', undefined, {
      token: owner.refreshJwt,
    })
    expect(status).toBe(400)
    expect((await api.mails('paula@mail.test')).map(({ subject }) => subject)).toContain(
      'Your password was changed',
    )
  })

  test('change the handle by the rules of the tenant', async () => {
    const { owner, browser } = await signedIn('hanna', '/settings')
    expect(browser.page.body).toContain('<code>.one.test</code>')
    expect(browser.page.body).not.toContain('<code>.club.test</code>')
    for (const handle of ['hanna.club.test', 'hanna.two.test', 'admin.one.test', 'no handle']) {
      await browser.submit('/settings/handle', { handle })
      expect([handle, browser.page.status]).toEqual([handle, 400])
    }
    await browser.submit('/settings/handle', { handle: '@hanni.one.test' })
    expect(browser.page.body).toContain('<strong>hanni.one.test</strong>')
    expect((await api.get('com.atproto.identity.resolveHandle', { handle: 'hanni.one.test' })).body.did).toBe(
      owner.did,
    )
  })
})

describe('leaving', () => {
  test('is deactivating, and coming back', async () => {
    const { owner, browser } = await signedIn('laura', '/leave')
    await browser.submit('/leave/deactivate')
    expect(browser.page.body).toContain('Your account is deactivated: nobody sees it.')
    const repo = await api.get('com.atproto.sync.getRepoStatus', { did: owner.did })
    expect(repo.body).toMatchObject({ active: false, status: 'deactivated' })
    await browser.submit('/leave/activate')
    expect(browser.page.body).toContain('Your account is active.')
    expect((await api.get('com.atproto.sync.getRepoStatus', { did: owner.did })).body.active).toBe(true)
  })

  test('is deleting, with the password and the code that was mailed', async () => {
    const { owner, browser } = await signedIn('delia', '/leave')
    await browser.submit('/leave/code')
    const token = await api.mailedToken('delia@mail.test')
    for (const wrong of [
      { password: 'delia-pass', token: 'AAAAA-AAAAA' },
      { password: 'wrong-pass', token },
    ]) {
      await browser.submit('/leave/delete', wrong)
      expect(browser.page.status).toBeGreaterThanOrEqual(400)
    }
    await browser.submit('/leave/delete', { password: 'delia-pass', token })
    expect(browser.page.body).toContain('<h1>Your account is deleted</h1>')
    expect((await login(owner.handle, 'delia-pass')).status).toBe(401)
    expect((await browser.open('/leave')).body).toContain('<h1>Sign in</h1>')
  })
})
