import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { PageBrowser } from './page-browser.ts'
import { TestApi } from './test-api.ts'

type Owner = { did: string; handle: string; name: string; email: string; accessJwt: string }
type Tokens = { accessJwt: string; refreshJwt: string }

let api: TestApi
beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

async function signIn({ handle, name }: Owner, password = `${name}-pass`): Promise<Tokens> {
  const { body } = await api.post('com.atproto.server.createSession', { identifier: handle, password })
  return body
}

/** What each pod answers to a read and to a write with the access token. */
async function answers(did: string, token: string): Promise<(string | number)[]> {
  const record = { $type: 'app.bsky.feed.post', text: 'hello', createdAt: '2026-01-01T00:00:00Z' }
  const write = { repo: did, collection: record.$type, record }
  const all = []
  for (const pod of [0, 1]) {
    all.push(await api.post('com.atproto.repo.createRecord', write, { token, pod }))
    all.push(await api.get('com.atproto.server.getSession', {}, { token, pod }))
  }
  return all.map(({ status, body }) => body.error ?? status)
}

const good = [200, 200, 200, 200]
const over = ['ExpiredToken', 'ExpiredToken', 'ExpiredToken', 'ExpiredToken']

async function makeAppPassword({ accessJwt: token }: Tokens): Promise<string> {
  const made = await api.post('com.atproto.server.createAppPassword', { name: 'reader' }, { token })
  return made.body.password
}

const ways: [string, (owner: Owner, tokens: Tokens) => Promise<unknown>][] = [
  [
    'signing out everywhere',
    async (owner) => {
      const browser = new PageBrowser(api)
      await browser.signIn(owner.handle, `${owner.name}-pass`)
      await browser.submit('/security/sign-out')
    },
  ],
  [
    'a new password',
    async ({ email }) => {
      await api.post('com.atproto.server.requestPasswordReset', { email })
      const token = await api.mailedToken(email)
      await api.post('com.atproto.server.resetPassword', { token, password: 'another-pass' })
    },
  ],
  [
    'revoking an app password',
    async (_owner, { accessJwt: token }) =>
      api.post('com.atproto.server.revokeAppPassword', { name: 'reader' }, { token }),
  ],
]

describe.each(ways)('%s', (way, end) => {
  test('ends access tokens at once, on every pod, for reads and writes', async () => {
    const name = `ended${ways.findIndex(([one]) => one === way)}`
    const owner = { ...(await api.signUp(name)), name, email: `${name}@mail.test` }
    const own = await signIn(owner)
    const app = await signIn(owner, await makeAppPassword(own))
    // Pods know the account as a writer now, and ask nothing of it before they write.
    expect(await answers(owner.did, own.accessJwt)).toEqual(good)
    expect(await answers(owner.did, app.accessJwt)).toEqual(good)
    await end(owner, own)
    expect(await answers(owner.did, app.accessJwt)).toEqual(over)
    expect(await answers(owner.did, own.accessJwt)).toEqual(over)
  })
})

test('sessions that stay go on with a new access token, and those that begin are good', async () => {
  const owner = { ...(await api.signUp('staying')), name: 'staying', email: 'staying@mail.test' }
  const own = await signIn(owner)
  const app = await signIn(owner, await makeAppPassword(own))
  await api.post('com.atproto.server.revokeAppPassword', { name: 'reader' }, { token: own.accessJwt })
  const refresh = (token: string) => api.post('com.atproto.server.refreshSession', undefined, { token })
  expect((await refresh(app.refreshJwt)).status).toBe(400)
  const { body } = await refresh(own.refreshJwt)
  expect(await answers(owner.did, body.accessJwt)).toEqual(good)
  expect(await answers(owner.did, (await signIn(owner)).accessJwt)).toEqual(good)
})
