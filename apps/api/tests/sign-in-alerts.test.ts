import { signInAlertsHourMax } from '@rookery/accounts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { TestBrowser } from './oauth-flow.ts'
import { PageBrowser } from './page-browser.ts'
import { RawApp } from './raw-app.ts'
import { TestApi } from './test-api.ts'

const subject = 'A new sign-in to your account'
type Owner = { did: string; handle: string; name: string; accessJwt: string; refreshJwt: string }

let api: TestApi
beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

async function signUp(name: string): Promise<Owner> {
  return { ...(await api.signUp(name)), name }
}

/** Signs in with handle and password, as older apps do, from an address. */
async function signIn({ handle, name }: Owner, remoteAddress: string, change: object = {}) {
  const payload = { identifier: handle, password: `${name}-pass`, ...change }
  const { status } = await api.request({
    method: 'POST',
    url: '/xrpc/com.atproto.server.createSession',
    payload,
    remoteAddress,
  })
  return status
}

async function alerts({ name }: Owner): Promise<number> {
  const mails = await api.mails(`${name}@mail.test`)
  return mails.filter((mail) => mail.subject === subject).length
}

async function auditOf(did: string): Promise<{ action: string; actor: string; detail: unknown }[]> {
  const { rows } = await api.db.pool.query(
    'select action, actor, detail from audit_entry where did = $1 order by id',
    [did],
  )
  return rows
}

test('a sign-up whose network could not be noted leaves no account, and its names are free', async () => {
  await api.db.pool.query('alter table known_device rename to known_device_away')
  const answer = signUp('unnoted')
  await Promise.allSettled([answer])
  await api.db.pool.query('alter table known_device_away rename to known_device')
  await expect(answer).rejects.toThrow('InternalServerError')
  expect((await signUp('unnoted')).accessJwt).not.toBe('')
})

test('a network that is known is noted once a day, not with every sign-in of an app', async () => {
  const owner = await signUp('daily')
  const seen = async (): Promise<Date> => {
    const { rows } = await api.db.pool.query<{ last_seen_at: Date }>(
      'select last_seen_at from known_device where account_id = (select id from account where did = $1)',
      [owner.did],
    )
    return rows[0]!.last_seen_at
  }
  const first = await seen()
  expect(await signIn(owner, '127.0.0.1')).toBe(200)
  expect(await seen()).toEqual(first)
  await api.db.pool.query(`update known_device set last_seen_at = last_seen_at - interval '2 days'`)
  expect(await signIn(owner, '127.0.0.1')).toBe(200)
  expect((await seen()).getTime()).toBeGreaterThan(first.getTime())
})

describe('the owner is told of a sign-in', () => {
  test('by an app from a network that is new, once, and never of a refresh', async () => {
    const owner = await signUp('nets')
    expect(await signIn(owner, '127.0.0.1')).toBe(200)
    expect(await alerts(owner)).toBe(0)
    expect(await signIn(owner, '192.0.2.7')).toBe(200)
    expect(await alerts(owner)).toBe(1)
    expect(await signIn(owner, '192.0.2.7')).toBe(200)
    await api.request({
      method: 'POST',
      url: '/xrpc/com.atproto.server.refreshSession',
      remoteAddress: '198.51.100.9',
      headers: { authorization: `Bearer ${owner.refreshJwt}` },
    })
    expect(await alerts(owner)).toBe(1)
  })

  test('of some within an hour, however many networks there are', async () => {
    const owner = await signUp('many')
    for (let n = 0; n < signInAlertsHourMax + 3; n++) await signIn(owner, `203.0.113.${n}`)
    expect(await alerts(owner)).toBeLessThanOrEqual(signInAlertsHourMax)
    const { rows } = await api.db.pool.query<{ count: number }>(
      `select count(*)::integer as count from known_device where device_id like 'net-%'
         and account_id = (select id from account where did = $1)`,
      [owner.did],
    )
    expect(rows[0]?.count).toBe(signInAlertsHourMax + 4)
  })

  test('on the provider’s page with a browser that is new, as on ours', async () => {
    const owner = await signUp('spa')
    const app = await RawApp.local(api)
    const enter = async (browser: TestBrowser) => {
      await browser.open(app.authorizeUrl((await app.push()).body.request_uri))
      expect((await browser.signIn(owner.handle, 'spa-pass', { remember: true })).status).toBe(200)
    }
    const browser = new TestBrowser(api)
    await enter(browser)
    await enter(browser)
    expect(await alerts(owner)).toBe(0)
    await enter(new TestBrowser(api))
    expect(await alerts(owner)).toBe(1)
    await new PageBrowser(api).signIn(owner.handle, 'spa-pass')
    expect(await alerts(owner)).toBe(2)
  })
})

describe('the audit log tells', () => {
  test('of failed sign-ins by one entry an hour, whatever way they were tried', async () => {
    const owner = await signUp('forced')
    const app = await RawApp.local(api)
    const browser = new TestBrowser(api)
    await browser.open(app.authorizeUrl((await app.push()).body.request_uri))
    await Promise.all([
      signIn(owner, '192.0.2.1', { password: 'wrong-pass' }),
      signIn(owner, '192.0.2.2', { password: 'wrong-pass' }),
      new PageBrowser(api).signIn(owner.handle, 'wrong-pass'),
      browser.signIn(owner.handle, 'wrong-pass'),
    ])
    await signIn({ ...owner, handle: 'nobody.one.test' }, '192.0.2.3')
    const entry = { action: 'account.sign-in.failed', actor: 'unknown' }
    await vi.waitFor(async () =>
      expect(await auditOf(owner.did)).toEqual([{ ...entry, detail: { wrongPasswords: 4, wrongCodes: 0 } }]),
    )
    await api.db.pool.query(`update sign_in_failure set window_started_at = now() - interval '61 minutes'`)
    await signIn(owner, '192.0.2.1', { password: 'wrong-pass' })
    await vi.waitFor(async () => expect(await auditOf(owner.did)).toHaveLength(2))
    expect((await auditOf(owner.did))[1]).toEqual({ ...entry, detail: { wrongPasswords: 1, wrongCodes: 0 } })
  })

  test('of app passwords, password, address and handle that were changed by XRPC', async () => {
    const owner = await signUp('changes')
    const before = { token: owner.accessJwt }
    await api.post('com.atproto.server.createAppPassword', { name: 'reader' }, before)
    await api.post('com.atproto.server.revokeAppPassword', { name: 'reader' }, before)
    // The end of an app password ends every access token.
    const refresh = { token: owner.refreshJwt }
    const { body } = await api.post('com.atproto.server.refreshSession', undefined, refresh)
    const options = { token: body.accessJwt }
    await api.post('com.atproto.server.updateEmail', { email: 'other@mail.test' }, options)
    await api.post('com.atproto.identity.updateHandle', { handle: 'changed.one.test' }, options)
    await api.post('com.atproto.identity.updateHandle', { handle: 'changed.one.test' }, options)
    await api.post('com.atproto.server.requestPasswordReset', { email: 'other@mail.test' })
    const token = await api.mailedToken('other@mail.test')
    await api.post('com.atproto.server.resetPassword', { token, password: 'another-pass' })
    const entries = await auditOf(owner.did)
    expect(entries.every(({ actor }) => actor === owner.did)).toBe(true)
    expect(entries.map(({ action, detail }) => [action, detail])).toEqual([
      ['account.app-password.make', { name: 'reader' }],
      ['account.app-password.revoke', { name: 'reader' }],
      ['account.email.change', {}],
      ['account.handle.change', { from: 'changes.one.test', to: 'changed.one.test' }],
      ['account.password.reset', {}],
    ])
  })
})
