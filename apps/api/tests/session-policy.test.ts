import { totpCode } from '@rookery/testkit'
import { hourMs } from '@rookery/std'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { base32 } from './base32.ts'
import { PageBrowser } from './page-browser.ts'
import { RawApp } from './raw-app.ts'
import { TestApi } from './test-api.ts'

let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

async function age(table: string, change: string, did: string): Promise<void> {
  await api.db.pool.query(
    `update ${table} set ${change} where account_id = (select id from account where did = $1)`,
    [did],
  )
}

function signedIn(browser: PageBrowser): Promise<boolean> {
  return browser.open('/security').then(({ body }) => body.includes('<h1>Security</h1>'))
}

describe('a browser', () => {
  test('stays signed in if its owner wants that, and else for an hour', async () => {
    const owner = await api.signUp('brief')
    const [kept, brief] = [new PageBrowser(api), new PageBrowser(api)]
    for (const browser of [kept, brief]) {
      await browser.open('/sign-in')
      const keep: Record<string, string> = browser === kept ? { keep: 'yes' } : {}
      await browser.submit('/sign-in', { username: owner.handle, password: 'brief-pass', ...keep })
    }
    expect([await signedIn(kept), await signedIn(brief)]).toEqual([true, true])
    await age('oauth_device_account', `authenticated_at = now() - interval '61 minutes'`, owner.did)
    expect([await signedIn(kept), await signedIn(brief)]).toEqual([true, false])
  })

  test('is signed in for as long as the tenant lets it, on every pod at once', async () => {
    const owner = await api.signUp('lasting')
    const browser = new PageBrowser(api)
    await browser.open('/sign-in')
    await browser.submit('/sign-in', { username: owner.handle, password: 'lasting-pass', keep: 'yes' })
    await age('oauth_device_account', `authenticated_at = now() - interval '2 hours'`, owner.did)
    expect([await signedIn(browser), await signedIn(browser)]).toEqual([true, true])
    await api.set('one', { browserSessionMs: hourMs })
    expect([await signedIn(browser), await signedIn(browser)]).toEqual([false, false])
    await api.set('one', { browserSessionMs: 3 * hourMs })
    expect(await signedIn(browser)).toBe(true)
  })

  test('is trusted for as long as the tenant lets it, and not at all if it does not', async () => {
    const owner = await api.signUp('trusting')
    const browser = new PageBrowser(api)
    await browser.signIn(owner.handle, 'trusting-pass')
    await browser.submit('/security/authenticator/begin')
    const secret = base32(/>([A-Z2-7 ]{39})</.exec(browser.page.body)?.[1] ?? '')
    await browser.submit('/security/authenticator/confirm', { code: totpCode(secret, Date.now() - 30_000) })
    const isAsked = async () =>
      (await browser.signIn(owner.handle, 'trusting-pass')).body.includes('name="code"')
    expect(await isAsked()).toBe(true)
    await browser.submit('/sign-in/code', { code: totpCode(secret, Date.now()), trust: 'yes' })
    await age('known_device', `trusted_at = now() - interval '2 hours'`, owner.did)
    expect(await isAsked()).toBe(false)
    await api.set('one', { trustedBrowserMs: hourMs })
    expect(await isAsked()).toBe(true)
    expect(browser.page.body).toContain('for 1 days')
    await api.set('one', { trustedBrowserMs: 0 })
    await browser.signIn(owner.handle, 'trusting-pass')
    expect(browser.page.body).not.toContain('name="trust"')
    await browser.submit('/sign-in/code', { code: totpCode(secret, Date.now() + 30_000), trust: 'yes' })
    await api.set('one', { trustedBrowserMs: hourMs })
    expect(await isAsked()).toBe(true)
  })
})

describe('an app', () => {
  test('has a session that ends, and that may rest, for as long as the tenant says', async () => {
    const owner = { ...(await api.signUp('appuser')), password: 'appuser-pass' }
    const app = await RawApp.local(api)
    const tokens = await app.signIn(owner)
    const answers = (pod: number) => app.call(tokens, { pod }).then(({ status }) => status)
    await age(
      'oauth_token',
      `created_at = now() - interval '2 hours', updated_at = now() - interval '2 hours'`,
      owner.did,
    )
    await api.set('one', { oauthPublicRefreshMs: hourMs })
    expect([await answers(0), await answers(1)]).toEqual([200, 200])
    expect(await app.refresh(tokens)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    await api.set('one', { oauthPublicRefreshMs: 3 * hourMs, oauthPublicSessionMs: hourMs })
    expect([await answers(0), await answers(1)]).toEqual([401, 401])
    await api.set('one', { oauthPublicSessionMs: 3 * hourMs })
    expect(await app.refresh(tokens)).toMatchObject({ status: 200 })
  })

  test('has a session with a password that may rest for as long as the tenant says', async () => {
    const owner = await api.signUp('older')
    const refresh = (pod: number) =>
      api
        .post('com.atproto.server.refreshSession', undefined, { token: owner.refreshJwt, pod })
        .then(({ status, body }) => [status, body.error])
    await age('refresh_token', `created_at = now() - interval '2 hours'`, owner.did)
    await api.set('one', { passwordSessionMs: hourMs })
    expect([await refresh(0), await refresh(1)]).toEqual([
      [400, 'ExpiredToken'],
      [400, 'ExpiredToken'],
    ])
    await api.set('one', { passwordSessionMs: 3 * hourMs })
    expect((await refresh(0))[0]).toBe(200)
    const { rows } = await api.db.pool.query<{ hours: number }>(
      `select extract(epoch from max(expires_at) - now()) / 3600 as hours from refresh_token
        where account_id = (select id from account where did = $1)`,
      [owner.did],
    )
    expect(Number(rows[0]?.hours)).toBeLessThanOrEqual(3)
  })
})

test('lifetimes beyond what the protocol allows are refused', async () => {
  const tooLong = { oauthPublicSessionMs: 15 * 24 * hourMs }
  await expect(api.set('one', tooLong)).rejects.toThrow(/oauthPublicSessionMs/)
})
