import { emailTokenAttemptsMax } from '@rookery/accounts'
import { tenantSettings } from '@rookery/tenants'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Answer, TestApi } from './test-api.ts'

const server = 'com.atproto.server'
let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

type Owner = { did: string; handle: string; accessJwt: string; refreshJwt: string }

function call(owner: Owner, method: string, input?: object): Promise<Answer> {
  return api.post(`${server}.${method}`, input, { token: owner.accessJwt })
}

async function session(owner: Owner): Promise<any> {
  return (await api.get(`${server}.getSession`, {}, { token: owner.accessJwt })).body
}

/** Makes the account's tokens a quarter of an hour older. */
async function age(owner: Owner): Promise<void> {
  await api.db.pool.query(
    `update email_token set requested_at = requested_at - interval '15 minutes'
     where account_id = (select id from account where did = $1)`,
    [owner.did],
  )
}

async function confirm(owner: Owner, email: string): Promise<void> {
  await call(owner, 'requestEmailConfirmation')
  const token = await api.mailedToken(email)
  expect((await call(owner, 'confirmEmail', { email, token })).status).toBe(200)
}

describe('confirming an address', () => {
  // SPEC EM-1, EM-3, EM-6
  test('takes the token that was mailed to it, in any case, once', async () => {
    const owner = await api.signUp('confirms')
    const email = 'confirms@mail.test'
    expect(await session(owner)).toMatchObject({ email, emailConfirmed: false })
    await call(owner, 'requestEmailConfirmation')
    const token = (await api.mailedToken(email)).toLowerCase()
    expect((await call(owner, 'confirmEmail', { email: ' Confirms@Mail.test', token })).status).toBe(200)
    expect(await session(owner)).toMatchObject({ email, emailConfirmed: true })
    expect(await call(owner, 'confirmEmail', { email, token })).toMatchObject({
      status: 400,
      body: { error: 'InvalidToken' },
    })
  })

  // SPEC EM-2, EM-3, EM-6
  test('refuses another address, a wrong token, one for something else and one that is old', async () => {
    const owner = await api.signUp('careful')
    const email = 'careful@mail.test'
    await call(owner, 'requestAccountDelete')
    const other = await api.mailedToken(email)
    await call(owner, 'requestEmailConfirmation')
    const token = await api.mailedToken(email)
    const refused = async (input: object) => (await call(owner, 'confirmEmail', input)).body.error
    expect(await refused({ email: 'else@mail.test', token })).toBe('InvalidEmail')
    expect(await refused({ email, token: 'AAAAA-AAAAA' })).toBe('InvalidToken')
    expect(await refused({ email, token: other })).toBe('InvalidToken')
    await age(owner)
    expect(await refused({ email, token })).toBe('ExpiredToken')
    expect(await session(owner)).toMatchObject({ emailConfirmed: false })
  })

  test('ends after too many wrong tries', async () => {
    const owner = await api.signUp('guessed')
    const email = 'guessed@mail.test'
    await call(owner, 'requestEmailConfirmation')
    const token = await api.mailedToken(email)
    for (let n = 0; n < emailTokenAttemptsMax; n++) {
      await call(owner, 'confirmEmail', { email, token: 'AAAAA-AAAAA' })
    }
    const last = await call(owner, 'confirmEmail', { email, token })
    expect(last).toMatchObject({ status: 400, body: { error: 'InvalidToken' } })
  })
})

// SPEC EM-4
describe('changing an address', () => {
  test('wants no token while the old one is not confirmed, and voids what was mailed to it', async () => {
    const owner = await api.signUp('mistyped')
    await call(owner, 'requestEmailConfirmation')
    const old = await api.mailedToken('mistyped@mail.test')
    expect((await call(owner, 'requestEmailUpdate')).body).toEqual({ tokenRequired: false })
    expect((await call(owner, 'updateEmail', { email: 'Right@Mail.test' })).status).toBe(200)
    expect(await session(owner)).toMatchObject({ email: 'right@mail.test', emailConfirmed: false })
    const refused = await call(owner, 'confirmEmail', { email: 'right@mail.test', token: old })
    expect(refused.body.error).toBe('InvalidToken')
    await confirm(owner, 'right@mail.test')
  })

  test('wants the token of a confirmed one, which is to be confirmed anew', async () => {
    const owner = await api.signUp('moves')
    await confirm(owner, 'moves@mail.test')
    expect((await call(owner, 'requestEmailUpdate')).body).toEqual({ tokenRequired: true })
    const token = await api.mailedToken('moves@mail.test')
    const email = 'moved@mail.test'
    expect((await call(owner, 'updateEmail', { email })).body.error).toBe('TokenRequired')
    expect((await call(owner, 'updateEmail', { email, token: 'AAAAA-AAAAA' })).body.error).toBe(
      'InvalidToken',
    )
    const change = { email, token }
    const answers = await Promise.all([
      call(owner, 'updateEmail', change),
      call(owner, 'updateEmail', change),
    ])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400])
    expect(await session(owner)).toMatchObject({ email, emailConfirmed: false })
  })

  test('refuses what is no address, and what somebody else has, in any case', async () => {
    const owner = await api.signUp('wants')
    await api.signUp('has')
    for (const email of ['no address', 'HAS@mail.test', 'wants@disposeamail.com', '']) {
      expect(await call(owner, 'updateEmail', { email })).toMatchObject({
        status: 400,
        body: { error: 'InvalidRequest' },
      })
    }
    expect(await session(owner)).toMatchObject({ email: 'wants@mail.test' })
  })
})

describe('resetting a password', () => {
  const request = (email: string, host = 'one.test') =>
    api.post(`${server}.requestPasswordReset`, { email }, { host })
  const reset = (token: string, password: string, host = 'one.test') =>
    api.post(`${server}.resetPassword`, { token, password }, { host })
  const signIn = (identifier: string, password: string) =>
    api.post(`${server}.createSession`, { identifier, password })

  // SPEC AU-9, EM-5
  test('sets the new one and ends every session; app passwords stay', async () => {
    const owner = await api.signUp('forgets')
    const app = (await call(owner, 'createAppPassword', { name: 'app' })).body.password
    expect((await request('Forgets@mail.test')).status).toBe(200)
    const token = await api.mailedToken('forgets@mail.test')
    expect((await reset(token, 'short')).body.error).toBe('InvalidPassword')
    expect((await reset(token.toLowerCase(), 'remembered now')).status).toBe(200)
    expect((await reset(token, 'remembered now')).body.error).toBe('InvalidToken')
    expect((await signIn(owner.handle, 'forgets-pass')).status).toBe(401)
    expect((await signIn(owner.handle, 'remembered now')).status).toBe(200)
    expect((await signIn(owner.handle, app)).status).toBe(200)
    const refreshed = await api.post(`${server}.refreshSession`, undefined, { token: owner.refreshJwt })
    expect(refreshed.body.error).toBe('ExpiredToken')
  })

  // SPEC EM-5
  test('answers for an address that nobody has as for any other, and mails nothing', async () => {
    await api.signUp('known')
    const addresses = ['nobody@mail.test', 'known@mail.test']
    const answers = await Promise.all(addresses.map((email) => request(email)))
    expect(answers.map(({ status, body }) => ({ status, body }))).toEqual([
      { status: 200, body: '' },
      { status: 200, body: '' },
    ])
    const { rows } = await api.db.pool.query(
      `select queue, payload->>'email' as email from job_outbox
       where queue = 'password-reset' or payload->>'template' = 'reset-password'`,
    )
    expect(rows).toEqual(
      expect.arrayContaining(addresses.map((email) => ({ queue: 'password-reset', email }))),
    )
    expect(rows).toHaveLength(2)
    expect(await api.mails('nobody@mail.test')).toEqual([])
    expect(await api.mailedToken('known@mail.test')).toBeDefined()
    expect((await request('no address')).status).toBe(400)
  })

  test('refuses an old token, and one of the other host', async () => {
    const owner = await api.signUp('elsewhere')
    await request('elsewhere@mail.test')
    const token = await api.mailedToken('elsewhere@mail.test')
    expect((await reset(token, 'taken over', 'two.test')).body.error).toBe('InvalidToken')
    await age(owner)
    expect((await reset(token, 'too late now')).body.error).toBe('ExpiredToken')
    expect((await signIn(owner.handle, 'elsewhere-pass')).status).toBe(200)
  })
})

describe('telling the owner', () => {
  const subjects = async (email: string) => (await api.mails(email)).map(({ subject }) => subject)

  test('that the password was changed, by reset or by the operator', async () => {
    const owner = await api.signUp('warned')
    const email = 'warned@mail.test'
    await api.post(`${server}.requestPasswordReset`, { email })
    const input = { token: await api.mailedToken(email), password: 'remembered now' }
    await api.post(`${server}.resetPassword`, input, { headers: { 'accept-language': 'de-CH, fr;q=0.5' } })
    const password = { did: owner.did, password: 'set by admin' }
    await api.post('com.atproto.admin.updateAccountPassword', password, { admin: true })
    expect(await subjects(email)).toEqual([
      'Reset your password',
      'Ihr Passwort wurde geändert',
      'Your password was changed',
    ])
  })

  test('at a confirmed old address that there is a new one, and says nothing to an unconfirmed one', async () => {
    const owner = await api.signUp('leaves')
    await call(owner, 'updateEmail', { email: 'leaves-1@mail.test' })
    await confirm(owner, 'leaves-1@mail.test')
    await call(owner, 'requestEmailUpdate')
    const token = await api.mailedToken('leaves-1@mail.test')
    await call(owner, 'updateEmail', { email: 'leaves-2@mail.test', token })
    const operator = { account: owner.did, email: 'leaves-3@mail.test' }
    await api.post('com.atproto.admin.updateAccountEmail', operator, { admin: true })
    expect(await subjects('leaves@mail.test')).toEqual([])
    expect((await subjects('leaves-1@mail.test')).at(-1)).toBe(
      'The e-mail address of your account was changed',
    )
    expect(await subjects('leaves-2@mail.test')).toEqual([])
    const told = (await api.mails('leaves-1@mail.test')).at(-1)
    expect(told?.text).toContain(owner.handle)
    expect(told?.text).not.toContain('leaves-2@mail.test')
  })

  test('that the account was deleted', async () => {
    const owner = await api.signUp('gone')
    await call(owner, 'requestAccountDelete')
    const input = { did: owner.did, password: 'gone-pass', token: await api.mailedToken('gone@mail.test') }
    expect((await api.post(`${server}.deleteAccount`, input)).status).toBe(200)
    expect((await subjects('gone@mail.test')).at(-1)).toBe('Your account was deleted')
  })
})

describe('asking for more mail than an address gets', () => {
  const settings = tenantSettings.parse({})
  async function fill(owner: Owner): Promise<void> {
    await api.db.pool.query(
      `insert into mail_delivery (host_id, tenant_id, account_id, template, recipient, state)
       select host_id, tenant_id, id, 'confirm-email', email, 'sent' from account, generate_series(1, $2)
       where did = $1`,
      [owner.did, settings.mailsPerRecipientHourMax],
    )
  }

  test('is refused to the owner, who is told when to come back', async () => {
    const owner = await api.signUp('insists')
    await fill(owner)
    const answer = await call(owner, 'requestEmailConfirmation')
    expect(answer).toMatchObject({ status: 429, body: { error: 'RateLimitExceeded' } })
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  })

  test('looks to a stranger as it always does, and is noted for the operator', async () => {
    const owner = await api.signUp('besieged')
    await fill(owner)
    const email = 'besieged@mail.test'
    expect(await api.post(`${server}.requestPasswordReset`, { email })).toMatchObject({
      status: 200,
      body: '',
    })
    expect(await api.mails(email)).toEqual([])
    const { rows } = await api.db.pool.query(
      `select template from mail_delivery where recipient = $1 and state = 'limited'`,
      [email],
    )
    expect(rows).toEqual([{ template: 'reset-password' }])
  })
})
