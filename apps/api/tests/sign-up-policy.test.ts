import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { TestBrowser } from './oauth-flow.ts'
import { RawApp } from './raw-app.ts'
import { type Answer, TestApi } from './test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await TestApi.start()
})
afterEach(() => api.set('one', { signUpClosed: false, emailDomains: [], inviteRequired: false }))
afterAll(() => api[Symbol.asyncDispose]())

let names = 0
const ways: [string, (change: object) => Promise<{ status: number; body: any }>][] = [
  ['XRPC', (change) => api.post('com.atproto.server.createAccount', input(change))],
  [
    'the sign-in page',
    async (change) => {
      const app = await RawApp.local(api)
      const browser = new TestBrowser(api)
      await browser.open(app.authorizeUrl((await app.push()).body.request_uri))
      return browser.call('sign-up', { locale: 'en', ...input(change) })
    },
  ],
]

function input(change: object): object {
  const name = `person${names++}`
  return { handle: `${name}.one.test`, email: `${name}@mail.test`, password: 'a-long-password', ...change }
}

describe.each(ways)('signing up by %s', (way, signUp) => {
  const messageOf = ({ body }: { body: any }): string => body.message ?? body.error_description
  test('is open unless the tenant says otherwise', async () => {
    expect((await signUp({})).status).toBe(200)
  })

  test('is refused where it is closed, with an invite code too', async () => {
    await api.set('one', { signUpClosed: true })
    const refused = await signUp({ inviteCode: 'one-test-aaaaa-bbbbb' })
    expect(refused.status).toBe(way === 'XRPC' ? 403 : 400)
    expect(messageOf(refused)).toBe('Nobody can sign up here')
  })

  test('wants an invite code where the tenant does', async () => {
    await api.set('one', { inviteRequired: true })
    expect((await signUp({})).status).toBe(400)
  })

  test('wants an address of the tenant’s domains', async () => {
    await api.set('one', { emailDomains: ['uni.example', 'mail.test'] })
    expect((await signUp({})).status).toBe(200)
    for (const email of [
      'a@evil.example',
      'a@mail.test.evil.example',
      'a@sub.mail.test',
      '"a@mail.test"@x.test',
    ]) {
      expect((await signUp({ email })).status, email).toBe(400)
    }
  })
})

test('an address of another domain cannot be taken later either', async () => {
  const { accessJwt: token } = await api.signUp('changer')
  await api.set('one', { emailDomains: ['mail.test'] })
  const change = (email: string): Promise<Answer> =>
    api.post('com.atproto.server.updateEmail', { email }, { token })
  expect((await change('changer@evil.example')).status).toBe(400)
  expect((await change('changed@mail.test')).status).toBe(200)
})

test('what is closed is not offered', async () => {
  const offered = async (): Promise<string[]> =>
    (await api.get('com.atproto.server.describeServer')).body.availableUserDomains
  expect((await offered()).sort((a, b) => a.localeCompare(b))).toEqual(['.club.test', '.one.test'])
  await api.set('one', { signUpClosed: true })
  expect(await offered()).toEqual(['.club.test'])
})
