import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestApi } from './test-api.ts'

const server = 'com.atproto.server'
let api: TestApi
let did: string

beforeAll(async () => {
  api = await TestApi.start()
  did = (await api.signUp('alice')).did
})
afterAll(() => api[Symbol.asyncDispose]())

async function login(identifier = 'alice.one.test', change: object = {}): Promise<any> {
  return (await api.post(`${server}.createSession`, { identifier, password: 'alice-pass', ...change })).body
}

function setStatus(subjectDid: string, change: object) {
  const subject = { $type: 'com.atproto.admin.defs#repoRef', did: subjectDid }
  return api.post('com.atproto.admin.updateSubjectStatus', { subject, ...change }, { admin: true })
}

describe('createSession', () => {
  // SPEC AU-8
  test.each(['alice.one.test', 'ALICE.one.test', 'alice@mail.test', 'Alice@Mail.Test'])(
    'takes %s',
    async (name) => {
      expect(await login(name)).toMatchObject({ did, handle: 'alice.one.test', active: true })
    },
  )

  test('takes the DID', async () => {
    expect(await login(did)).toMatchObject({ did })
  })

  // SPEC XR-4, AU-8
  test('answers a wrong password and an unknown account with the same bytes', async () => {
    const answers = await Promise.all(
      [
        ['alice.one.test', 'wrong-password'],
        ['nobody.one.test', 'alice-pass'],
        ['nobody@mail.test', 'alice-pass'],
        ['alice.one.test', 'x'.repeat(600)],
      ].map(([identifier, password]) => api.post(`${server}.createSession`, { identifier, password })),
    )
    for (const { status, body, headers } of answers) {
      expect({ status, body }).toEqual({
        status: 401,
        body: { error: 'AuthenticationRequired', message: 'Invalid identifier or password' },
      })
      expect(headers['www-authenticate']).toBe('Bearer error="AuthenticationRequired"')
    }
  })

  test('knows nothing of the other host’s accounts', async () => {
    const input = { identifier: 'alice.one.test', password: 'alice-pass' }
    const answer = await api.post(`${server}.createSession`, input, { host: 'two.test' })
    expect(answer).toMatchObject({ status: 401, body: { error: 'AuthenticationRequired' } })
  })

  test('public methods do not look at the credentials that clients send with everything', async () => {
    const headers = { authorization: 'Bearer whatever' }
    const answer = await api.get(
      'com.atproto.identity.resolveHandle',
      { handle: 'alice.one.test' },
      { headers },
    )
    expect(answer).toMatchObject({ status: 200, body: { did } })
  })
})

describe('access tokens', () => {
  // SPEC AU-10
  test.each([
    ['no header', {}, 401, 'AuthMissing'],
    ['another scheme', { authorization: 'Digest x' }, 400, 'InvalidToken'],
    ['no token', { authorization: 'Bearer' }, 400, 'InvalidToken'],
    ['two spaces', { authorization: 'Bearer  x' }, 400, 'InvalidToken'],
    ['nonsense', { authorization: 'Bearer x' }, 400, 'InvalidToken'],
    ['the operator', { authorization: 'Basic YWRtaW46eA==' }, 400, 'InvalidToken'],
  ])('are wanted, not %s', async (_name, headers, status, error) => {
    expect(await api.get(`${server}.getSession`, {}, { headers })).toMatchObject({ status, body: { error } })
  })

  test('the scheme is read in any case', async () => {
    const { accessJwt } = await login()
    const headers = { authorization: `bEaReR ${accessJwt}` }
    const answer = await api.get(`${server}.getSession`, {}, { headers })
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({ 'cache-control': 'private', vary: 'authorization' })
  })

  test('expire with 400 ExpiredToken', async () => {
    const { deps } = api.pods[0]!
    const expired = { did, id: 'x', expiresAt: new Date(Date.now() - 1_000) }
    const token = deps.tokens.issueRefresh('did:web:one.test', expired)
    expect(await api.post(`${server}.refreshSession`, undefined, { token })).toMatchObject({
      status: 400,
      body: { error: 'ExpiredToken', message: 'Token has expired' },
    })
  })

  test('a refresh token is no access token, and the other way round', async () => {
    const { accessJwt, refreshJwt } = await login()
    const session = await api.get(`${server}.getSession`, {}, { token: refreshJwt })
    expect(session).toMatchObject({ status: 400, body: { error: 'InvalidToken' } })
    const refreshed = await api.post(`${server}.refreshSession`, undefined, { token: accessJwt })
    expect(refreshed).toMatchObject({ status: 400, body: { error: 'InvalidToken' } })
  })
})

describe('the tokens of a sign-up, a sign-in and a refresh', () => {
  test.each(['sign-up', 'sign-in', 'refresh'])(
    'open the account and lead to the next ones: %s',
    async (way) => {
      const name = `by-${way}`
      const signedUp = await api.signUp(name)
      const refresh = async (token: string) =>
        (await api.post(`${server}.refreshSession`, undefined, { token })).body
      const input = { identifier: signedUp.handle, password: `${name}-pass` }
      const begun = {
        'sign-up': () => signedUp,
        'sign-in': async () => (await api.post(`${server}.createSession`, input)).body,
        refresh: () => refresh(signedUp.refreshJwt),
      }[way]!
      const { accessJwt, refreshJwt } = await begun()
      expect((await api.get(`${server}.getSession`, {}, { token: accessJwt })).body).toEqual({
        did: signedUp.did,
        handle: `${name}.one.test`,
        email: `${name}@mail.test`,
        emailConfirmed: false,
        emailAuthFactor: false,
        active: true,
      })
      const next = await refresh(refreshJwt)
      expect(next).toMatchObject({ did: signedUp.did, handle: signedUp.handle })
      expect((await api.get(`${server}.getSession`, {}, { token: next.accessJwt })).status).toBe(200)
    },
  )
})

describe('refreshSession and deleteSession', () => {
  test('racing refreshes through both pods lead to one session', async () => {
    const { refreshJwt } = await login()
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        api.post(`${server}.refreshSession`, undefined, { token: refreshJwt, pod: n % 2 }),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
    expect(answers[0]?.body).toMatchObject({ did, handle: 'alice.one.test', active: true })
    const ids = answers.map(({ body }) => JSON.parse(atob(body.refreshJwt.split('.')[1])).jti)
    expect(new Set(ids).size).toBe(1)
  })

  test('signing out ends the session; signing out again is fine', async () => {
    const { refreshJwt } = await login()
    for (let n = 0; n < 2; n++) {
      expect((await api.post(`${server}.deleteSession`, undefined, { token: refreshJwt })).status).toBe(200)
    }
    expect(await api.post(`${server}.refreshSession`, undefined, { token: refreshJwt })).toMatchObject({
      status: 400,
      body: { error: 'ExpiredToken', message: 'Token has been revoked' },
    })
  })

  test('takes an expired token to sign out with', async () => {
    const { deps } = api.pods[0]!
    const expired = { did, id: 'gone', expiresAt: new Date(Date.now() - 1_000) }
    const token = deps.tokens.issueRefresh('did:web:one.test', expired)
    expect((await api.post(`${server}.deleteSession`, undefined, { token })).status).toBe(200)
  })

  test('a token of one host is none at another', async () => {
    const { refreshJwt } = await login()
    const options = { token: refreshJwt, host: 'two.test' }
    expect((await api.post(`${server}.refreshSession`, undefined, options)).body.error).toBe('InvalidToken')
    expect((await api.post(`${server}.deleteSession`, undefined, options)).body.error).toBe('InvalidToken')
    expect((await api.post(`${server}.refreshSession`, undefined, { token: refreshJwt })).status).toBe(200)
  })
})

describe('takedown', () => {
  const takedown = { applied: true, ref: 'case-1' }

  // SPEC AU-6, AU-11, LAB-4, ACC-11
  test('ends sessions with the next request, on every pod, and lets the owner move away', async () => {
    const { did: bob, accessJwt, refreshJwt } = await api.signUp('bob')
    const answer = await setStatus(bob, { takedown })
    expect(answer).toMatchObject({ status: 200, body: { takedown } })
    for (const pod of [0, 1]) {
      const refused = await api.post(`${server}.activateAccount`, undefined, { token: accessJwt, pod })
      expect(refused).toMatchObject({ status: 401, body: { error: 'AccountTakedown' } })
      const refresh = await api.post(`${server}.refreshSession`, undefined, { token: refreshJwt, pod })
      expect(refresh).toMatchObject({ status: 401, body: { error: 'AccountTakedown' } })
    }
    const input = { identifier: bob, password: 'bob-pass' }
    const refused = await api.post(`${server}.createSession`, { ...input, password: 'bob-pass' })
    expect(refused).toMatchObject({ status: 401, body: { error: 'AccountTakedown' } })
    const limited = (await api.post(`${server}.createSession`, { ...input, allowTakendown: true })).body
    expect(limited).toMatchObject({ active: false, status: 'takendown' })
    const options = { token: limited.accessJwt }
    expect((await api.get(`${server}.getSession`, {}, options)).body).toMatchObject({ status: 'takendown' })
    expect((await api.post(`${server}.requestAccountDelete`, undefined, options)).body.error).toBe(
      'InvalidToken',
    )
    const aud = 'did:web:new.example'
    const denied = await api.get(
      `${server}.getServiceAuth`,
      { aud, lxm: 'app.bsky.feed.getTimeline' },
      options,
    )
    expect(denied).toMatchObject({ status: 400, body: { error: 'InvalidToken' } })
    const granted = await api.get(
      `${server}.getServiceAuth`,
      { aud, lxm: 'com.atproto.server.createAccount' },
      options,
    )
    expect(granted.status).toBe(200)
    await setStatus(bob, { takedown: { applied: false } })
    expect((await api.get(`${server}.getSession`, {}, { token: accessJwt })).body.active).toBe(true)
    expect(await api.events(bob)).toEqual(['identity', 'account', 'commit', 'account', 'account', 'sync'])
  })

  test('is told by getSubjectStatus, through the account’s own host only', async () => {
    const { did: carol } = await api.signUp('carol')
    await setStatus(carol, { takedown })
    const own = await api.get('com.atproto.admin.getSubjectStatus', { did: carol }, { admin: true })
    expect(own.body).toEqual({
      subject: { $type: 'com.atproto.admin.defs#repoRef', did: carol },
      takedown,
      deactivated: { applied: false },
    })
    const options = { admin: true, host: 'two.test' }
    const other = await api.get('com.atproto.admin.getSubjectStatus', { did: carol }, options)
    expect(other).toMatchObject({ status: 400, body: { error: 'NotFound' } })
    const subject = { $type: 'com.atproto.admin.defs#repoRef', did: carol }
    const change = { subject, takedown: { applied: false } }
    const changed = await api.post('com.atproto.admin.updateSubjectStatus', change, options)
    expect(changed).toMatchObject({ status: 400, body: { error: 'NotFound' } })
  })

  test('refuses to take down and activate at once', async () => {
    const answer = await setStatus(did, { takedown, deactivated: { applied: false } })
    expect(answer).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
  })

  test('is the operator’s', async () => {
    const { accessJwt } = await login()
    const subject = { $type: 'com.atproto.admin.defs#repoRef', did }
    const answer = await api.post(
      'com.atproto.admin.updateSubjectStatus',
      { subject, takedown },
      { token: accessJwt },
    )
    expect(answer.status).toBe(401)
  })
})
