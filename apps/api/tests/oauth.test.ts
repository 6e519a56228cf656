import type { OAuthSession } from '@atproto/oauth-client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestBrowser, fetchOf, localApp, signInToApp } from './oauth-flow.ts'
import { TestApi } from './test-api.ts'

type Person = { did: string; handle: string; password: string; accessJwt: string }

let api: TestApi
let alice: Person

beforeAll(async () => {
  api = await TestApi.start()
  alice = await person('alice')
})
afterAll(() => api[Symbol.asyncDispose]())

async function person(name: string): Promise<Person> {
  return { ...(await api.signUp(name)), password: `${name}-pass` }
}

async function call(session: OAuthSession, nsid: string, input?: object) {
  const headers = { 'content-type': 'application/json' }
  const init = input === undefined ? {} : { method: 'POST', body: JSON.stringify(input), headers }
  const answer = await session.fetchHandler(`/xrpc/${nsid}`, init)
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text), headers: answer.headers }
}

function create(session: OAuthSession, collection: string) {
  const record = { $type: collection, text: 'hello', createdAt: '2026-01-01T00:00:00Z' }
  return call(session, 'com.atproto.repo.createRecord', { repo: session.did, collection, record })
}

describe('the official client, its requests going to one pod after the other', () => {
  test('signs in, writes, refreshes and signs out', async () => {
    const session = await signInToApp(api, localApp(api, 'atproto transition:generic'), alice)
    expect(session.did).toBe(alice.did)
    const who = await call(session, 'com.atproto.server.getSession')
    expect(who.body).toMatchObject({ did: alice.did, handle: alice.handle, active: true })
    expect((await create(session, 'app.bsky.feed.post')).status).toBe(200)
    const before = await session.getTokenInfo(false)
    const after = await session.getTokenInfo(true)
    expect(after.expiresAt?.getTime()).toBeGreaterThanOrEqual(before.expiresAt?.getTime() ?? Infinity)
    expect((await call(session, 'com.atproto.server.getSession')).status).toBe(200)
    await session.signOut()
    await expect(call(session, 'com.atproto.server.getSession')).rejects.toThrow(/revoked|deleted|session/i)
  })

  test('gets what was asked for and no more', async () => {
    const scope = 'atproto repo:app.bsky.feed.post?action=create blob:image/*'
    const session = await signInToApp(api, localApp(api, scope), alice)
    const made = await create(session, 'app.bsky.feed.post')
    expect(made.status).toBe(200)
    for (const collection of ['app.bsky.feed.like', 'app.bsky.graph.follow']) {
      expect(await create(session, collection)).toMatchObject({
        status: 403,
        body: { error: 'ScopeMissingError' },
      })
    }
    const rkey = made.body.uri.split('/').at(-1)
    const record = { repo: alice.did, collection: 'app.bsky.feed.post', rkey }
    expect((await call(session, 'com.atproto.repo.deleteRecord', record)).status).toBe(403)
    const replaced = {
      ...record,
      record: { $type: record.collection, text: 'x', createdAt: '2026-01-01T00:00:00Z' },
    }
    expect((await call(session, 'com.atproto.repo.putRecord', replaced)).status).toBe(403)
    expect((await call(session, 'com.atproto.server.getSession')).body.email).toBeUndefined()
    const closed = await call(session, 'com.atproto.server.createAppPassword', { name: 'mine' })
    expect(closed).toMatchObject({ status: 403, body: { error: 'Forbidden' } })
  })

  test('gets less if the account consents to less', async () => {
    const client = localApp(api, 'atproto transition:generic transition:email')
    const session = await signInToApp(api, client, alice, { scope: 'atproto transition:email' })
    expect((await session.getTokenInfo(false)).scope.split(' ').sort()).toEqual([
      'atproto',
      'transition:email',
    ])
    expect((await call(session, 'com.atproto.server.getSession')).body.email).toBe('alice@mail.test')
    expect((await create(session, 'app.bsky.feed.post')).status).toBe(403)
  })

  test('two pods that refresh at once leave one session', async () => {
    const bob = await person('bob')
    const client = localApp(api, 'atproto transition:generic')
    const session = await signInToApp(api, client, bob)
    const { tokenSet } = await session['sessionGetter'].get(bob.did)
    const refreshed = await Promise.allSettled([
      session.server.refresh(tokenSet),
      session.server.refresh(tokenSet),
    ])
    const won = refreshed.filter(({ status }) => status === 'fulfilled')
    expect(won).toHaveLength(1)
  })
})

// SPEC OA-27
describe('a session ends', () => {
  test('with a takedown, at once', async () => {
    const carol = await person('carol')
    const session = await signInToApp(api, localApp(api, 'atproto transition:generic'), carol)
    const subject = { $type: 'com.atproto.admin.defs#repoRef', did: carol.did }
    const takedown = { subject, takedown: { applied: true, ref: 'test' } }
    const { status } = await api.post('com.atproto.admin.updateSubjectStatus', takedown, { admin: true })
    expect(status).toBe(200)
    expect((await create(session, 'app.bsky.feed.post')).status).toBe(401)
    // The client has noticed, and forgotten the session.
    await expect(create(session, 'app.bsky.feed.post')).rejects.toThrow(/session/i)
  })

  test('with a new password', async () => {
    const dave = await person('dave')
    const session = await signInToApp(api, localApp(api, 'atproto transition:generic'), dave)
    await api.post('com.atproto.server.requestPasswordReset', { email: 'dave@mail.test' })
    const token = await api.mailedToken('dave@mail.test')
    const reset = await api.post('com.atproto.server.resetPassword', { token, password: 'another-pass' })
    expect(reset.status).toBe(200)
    expect((await call(session, 'com.atproto.server.getSession')).status).toBe(401)
  })

  test('with the account', async () => {
    const erin = await person('erin')
    await signInToApp(api, localApp(api, 'atproto transition:generic'), erin)
    const gone = await api.post('com.atproto.admin.deleteAccount', { did: erin.did }, { admin: true })
    expect(gone.status).toBe(200)
    for (const table of ['oauth_token', 'oauth_grant', 'oauth_device_account']) {
      const { rows } = await api.db.pool.query(
        `select 1 from ${table} t where not exists (select from account a where a.id = t.account_id)`,
      )
      expect(rows, table).toEqual([])
    }
  })
})

describe('refuses', () => {
  test('parameters that were not pushed', async () => {
    const browser = new TestBrowser(api)
    const query = new URLSearchParams({
      client_id: 'http://localhost',
      response_type: 'code',
      redirect_uri: 'http://127.0.0.1/',
      scope: 'atproto',
      state: 'x',
      code_challenge: 'a'.repeat(43),
      code_challenge_method: 'S256',
    })
    const { status } = await browser.open(`https://one.test/oauth/authorize?${query.toString()}`)
    expect(status).toBe(400)
  })

  test('a wrong password, and a password of an app', async () => {
    const { body } = await api.post(
      'com.atproto.server.createAppPassword',
      { name: 'app' },
      { token: alice.accessJwt },
    )
    const browser = new TestBrowser(api)
    await browser.open(await localApp(api, 'atproto').authorize(alice.handle))
    for (const password of ['wrong-pass', body.password]) {
      expect(await browser.signIn(alice.handle, password)).toMatchObject({
        status: 400,
        body: { error: 'invalid_request' },
      })
    }
  })

  test('the other host’s code, request and token', async () => {
    const client = localApp(api, 'atproto transition:generic')
    const url = await client.authorize(alice.handle)
    const elsewhere = new TestBrowser(api, 'two.test')
    const page = await elsewhere.open(new URL(`${url.pathname}${url.search}`, 'https://two.test'))
    expect(page.status).toBe(400)
    const session = await signInToApp(api, client, alice)
    const { tokenSet } = await session['sessionGetter'].get(alice.did)
    const answer = await fetchOf(api)('https://two.test/xrpc/com.atproto.server.getSession', {
      headers: { authorization: `DPoP ${tokenSet.access_token}` },
    })
    expect(answer.status).toBe(401)
  })

  test('an access token without the proof of its key', async () => {
    const session = await signInToApp(api, localApp(api, 'atproto transition:generic'), alice)
    const { tokenSet } = await session['sessionGetter'].get(alice.did)
    for (const scheme of ['DPoP', 'Bearer']) {
      const { status } = await api.get(
        'com.atproto.server.getSession',
        {},
        {
          headers: { authorization: `${scheme} ${tokenSet.access_token}` },
        },
      )
      expect(status, scheme).toBe(scheme === 'DPoP' ? 401 : 400)
    }
  })
})

test('tells where the authorization server is, for each host', async () => {
  for (const host of ['one.test', 'two.test']) {
    const resource = await api.request({ url: '/.well-known/oauth-protected-resource' }, { host })
    expect(resource.body).toMatchObject({
      resource: `https://${host}`,
      authorization_servers: [`https://${host}`],
    })
    const server = await api.request({ url: '/.well-known/oauth-authorization-server' }, { host })
    expect(server.body).toMatchObject({
      issuer: `https://${host}`,
      require_pushed_authorization_requests: true,
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']),
      scopes_supported: expect.arrayContaining(['atproto', 'transition:generic']),
    })
  }
})
