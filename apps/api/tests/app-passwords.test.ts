import { appPasswordNameLengthMax, appPasswordsMax } from '@rookery/accounts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Answer, TestApi } from './test-api.ts'

const server = 'com.atproto.server'
let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

type Owner = { did: string; handle: string; accessJwt: string; refreshJwt: string }

async function make(owner: Owner, name: string, change: object = {}): Promise<any> {
  const input = { name, ...change }
  const answer = await api.post(`${server}.createAppPassword`, input, { token: owner.accessJwt })
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  return answer.body
}

function signIn(owner: Owner, password: string, change: object = {}): Promise<Answer> {
  return api.post(`${server}.createSession`, { identifier: owner.handle, password, ...change })
}

function scopeOf(token: string): string {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).scope
}

function revoke(owner: Owner, name: string): Promise<Answer> {
  return api.post(`${server}.revokeAppPassword`, { name }, { token: owner.accessJwt })
}

// SPEC AU-5
describe('an app password', () => {
  test('is shown once, and then only named', async () => {
    const owner = await api.signUp('shown')
    const made = await make(owner, 'phone', { privileged: true })
    expect(made).toEqual({
      name: 'phone',
      password: expect.stringMatching(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/),
      privileged: true,
      createdAt: expect.stringMatching(/Z$/),
    })
    await make(owner, 'tablet')
    const listed = await api.get(`${server}.listAppPasswords`, {}, { token: owner.accessJwt })
    expect(listed.body.passwords).toEqual([
      { name: 'phone', privileged: true, createdAt: made.createdAt },
      { name: 'tablet', privileged: false, createdAt: expect.any(String) },
    ])
    const { rows } = await api.db.pool.query('select * from app_password')
    expect(JSON.stringify(rows)).not.toContain(made.password)
  })

  test.each([
    [false, 'com.atproto.appPass'],
    [true, 'com.atproto.appPassPrivileged'],
  ])('signs in and stays what it is, privileged: %s', async (privileged, scope) => {
    const owner = await api.signUp(`scoped-${privileged}`)
    const { password } = await make(owner, 'app', { privileged })
    const session = await signIn(owner, password)
    expect(session).toMatchObject({ status: 200, body: { did: owner.did, active: true } })
    expect(scopeOf(session.body.accessJwt)).toBe(scope)
    let { refreshJwt } = session.body
    for (const pod of [0, 1]) {
      const next = await api.post(`${server}.refreshSession`, undefined, { token: refreshJwt, pod })
      expect(scopeOf(next.body.accessJwt)).toBe(scope)
      // A retry with the old token gets the same again.
      const again = await api.post(`${server}.refreshSession`, undefined, { token: refreshJwt, pod })
      expect(scopeOf(again.body.accessJwt)).toBe(scope)
      refreshJwt = next.body.refreshJwt
    }
    expect(scopeOf((await signIn(owner, `scoped-${privileged}-pass`)).body.accessJwt)).toBe(
      'com.atproto.access',
    )
  })

  test('has a name of its own, of a fair length', async () => {
    const owner = await api.signUp('named')
    await make(owner, 'phone')
    for (const name of ['phone', '', '  ', 'x'.repeat(appPasswordNameLengthMax + 1)]) {
      const answer = await api.post(`${server}.createAppPassword`, { name }, { token: owner.accessJwt })
      expect(answer).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    }
    await make(owner, 'x'.repeat(appPasswordNameLengthMax))
  })

  test('is one of at most as many as an account needs, also when all are asked for at once', async () => {
    const owner = await api.signUp('many')
    const answers = await Promise.all(
      Array.from({ length: appPasswordsMax + 5 }, (_, n) =>
        api.post(`${server}.createAppPassword`, { name: `app ${n}` }, { token: owner.accessJwt, pod: n % 2 }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(appPasswordsMax)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(5)
  })

  test('opens nothing on another host, and no other account', async () => {
    const [owner, other] = [await api.signUp('here'), await api.signUp('beside')]
    const { password } = await make(owner, 'app')
    const input = { identifier: owner.handle, password }
    expect((await api.post(`${server}.createSession`, input, { host: 'two.test' })).status).toBe(401)
    expect((await signIn(other, password)).status).toBe(401)
  })

  test('opens no account that is taken down', async () => {
    const owner = await api.signUp('barred')
    const { password } = await make(owner, 'app')
    const subject = { $type: 'com.atproto.admin.defs#repoRef', did: owner.did }
    await api.post(
      'com.atproto.admin.updateSubjectStatus',
      { subject, takedown: { applied: true, ref: 'x' } },
      { admin: true },
    )
    for (const allowTakendown of [false, true]) {
      expect(await signIn(owner, password, { allowTakendown })).toMatchObject({
        status: 401,
        body: { error: 'AccountTakedown' },
      })
    }
  })
})

describe('a revoked app password', () => {
  test('is answered as a wrong one, and its sessions end; the others go on', async () => {
    const owner = await api.signUp('revoker')
    const [lost, kept] = [await make(owner, 'lost'), await make(owner, 'kept')]
    const [ended, going] = [await signIn(owner, lost.password), await signIn(owner, kept.password)]
    expect((await revoke(owner, 'lost')).status).toBe(200)
    const wrong = await signIn(owner, 'aaaa-bbbb-cccc-dddd')
    const refused = await signIn(owner, lost.password)
    expect({ status: refused.status, body: refused.body }).toEqual({ status: 401, body: wrong.body })
    const refresh = (token: string) => api.post(`${server}.refreshSession`, undefined, { token })
    expect(await refresh(ended.body.refreshJwt)).toMatchObject({
      status: 400,
      body: { error: 'ExpiredToken' },
    })
    expect((await refresh(going.body.refreshJwt)).status).toBe(200)
    const renewed = await refresh(owner.refreshJwt)
    expect(renewed.status).toBe(200)
    for (let n = 0; n < 2; n++) expect((await revoke(renewed.body, 'never made')).status).toBe(200)
  })

  test('is not revived by another one of its name, whatever was stored while it went', async () => {
    const owner = await api.signUp('reviver')
    const first = await make(owner, 'app')
    const session = await signIn(owner, first.password)
    const { rows } = await api.db.pool.query(
      `select t.* from refresh_token t join account a on a.id = t.account_id
       where a.did = $1 and t.app_password_name = 'app'`,
      [owner.did],
    )
    await revoke(owner, 'app')
    const { body: renewed } = await api.post(`${server}.refreshSession`, undefined, {
      token: owner.refreshJwt,
    })
    await make(renewed, 'app', { privileged: true })
    // As if a sign-in or a refresh had been under way.
    const { account_id, id, created_at, expires_at } = rows[0]
    await api.db.pool.query(
      `insert into refresh_token (account_id, id, created_at, expires_at, app_password_name)
       values ($1, $2, $3, $4, 'app')`,
      [account_id, id, created_at, expires_at],
    )
    for (let n = 0; n < 2; n++) {
      const answer = await api.post(`${server}.refreshSession`, undefined, { token: session.body.refreshJwt })
      expect(answer).toMatchObject({ status: 400, body: { error: 'ExpiredToken' } })
    }
    expect((await signIn(owner, first.password)).status).toBe(401)
  })

  test('leaves nothing when the account is deleted', async () => {
    const owner = await api.signUp('leaver')
    await make(owner, 'app')
    const count = async () => (await api.db.pool.query('select from app_password')).rowCount
    const before = await count()
    await api.post(`${server}.requestAccountDelete`, undefined, { token: owner.accessJwt })
    const token = await api.mailedToken('leaver@mail.test')
    const input = { did: owner.did, password: 'leaver-pass', token }
    expect((await api.post(`${server}.deleteAccount`, input)).status).toBe(200)
    expect(await count()).toBe(before! - 1)
  })
})

// SPEC AU-4, AU-5
describe('a session that an app password began', () => {
  /** What only the account's own password opens (SPEC AU-5). */
  const guarded: [method: 'get' | 'post', nsid: string, input: object][] = [
    ['post', `${server}.createAppPassword`, { name: 'more' }],
    ['get', `${server}.listAppPasswords`, {}],
    ['post', `${server}.revokeAppPassword`, { name: 'app' }],
    ['post', `${server}.activateAccount`, {}],
    ['post', `${server}.deactivateAccount`, {}],
    ['post', `${server}.requestAccountDelete`, {}],
    ['post', `${server}.requestEmailConfirmation`, {}],
    ['post', `${server}.confirmEmail`, { email: 'other@mail.test', token: 'AAAAA-AAAAA' }],
    ['post', `${server}.requestEmailUpdate`, {}],
    ['post', `${server}.updateEmail`, { email: 'other@mail.test' }],
    ['post', 'com.atproto.identity.updateHandle', { handle: 'other.one.test' }],
    ['post', 'com.atproto.identity.requestPlcOperationSignature', {}],
    ['post', 'com.atproto.identity.signPlcOperation', { token: 'AAAAA-AAAAA' }],
    ['post', 'com.atproto.identity.submitPlcOperation', { operation: {} }],
    ['post', 'com.atproto.repo.importRepo', {}],
  ]

  test.each([false, true])('changes nothing about the account, privileged: %s', async (privileged) => {
    const owner = await api.signUp(`guard-${privileged}`)
    const { password } = await make(owner, 'app', { privileged })
    const token = (await signIn(owner, password)).body.accessJwt
    for (const [method, nsid, input] of guarded) {
      const answer =
        method === 'get' ? await api.get(nsid, {}, { token }) : await api.post(nsid, input, { token })
      expect([nsid, answer.status, answer.body.error]).toEqual([nsid, 400, 'InvalidToken'])
    }
    const listed = await api.get(`${server}.listAppPasswords`, {}, { token: owner.accessJwt })
    expect(listed.body.passwords).toHaveLength(1)
  })

  test.each([false, true])('writes and reads; chat wants a privileged one, here: %s', async (privileged) => {
    const owner = await api.signUp(`writes-${privileged}`)
    const { password } = await make(owner, 'app', { privileged })
    const token = (await signIn(owner, password)).body.accessJwt
    const record = { $type: 'app.bsky.feed.post', text: 'hi', createdAt: new Date().toISOString() }
    const input = { repo: owner.did, collection: 'app.bsky.feed.post', record }
    expect((await api.post('com.atproto.repo.createRecord', input, { token })).status).toBe(200)
    expect((await api.get(`${server}.getSession`, {}, { token })).body).toMatchObject({ did: owner.did })
    const ask = (lxm: string) =>
      api.get(`${server}.getServiceAuth`, { aud: 'did:web:service.example', lxm }, { token })
    expect((await ask('app.bsky.feed.getTimeline')).status).toBe(200)
    expect((await ask('chat.bsky.convo.getLog')).status).toBe(privileged ? 200 : 400)
    for (const method of ['createAccount', 'createaccount']) {
      expect((await ask(`${server}.${method}`)).status).toBe(privileged ? 200 : 400)
    }
    expect((await ask(`${server}.createAppPassword`)).status).toBe(400)
  })
})
