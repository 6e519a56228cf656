import { beginTotp, confirmTotp, findAccountByDid, findPendingTotp } from '@rookery/accounts'
import { totpCode } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestBrowser, localApp } from './oauth-flow.ts'
import { type Answer, TestApi } from './test-api.ts'

const server = 'com.atproto.server'
let api: TestApi

type Owner = { did: string; handle: string; accessJwt: string; name: string }

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

async function signUp(name: string): Promise<Owner> {
  return { ...(await api.signUp(name)), name }
}

function call(owner: Owner, method: string, input?: object): Promise<Answer> {
  return api.post(`${server}.${method}`, input, { token: owner.accessJwt })
}

function signIn(owner: Owner, change: object = {}): Promise<Answer> {
  const input = { identifier: owner.handle, password: `${owner.name}-pass`, ...change }
  return api.post(`${server}.createSession`, input)
}

async function session(owner: Owner): Promise<any> {
  return (await api.get(`${server}.getSession`, {}, { token: owner.accessJwt })).body
}

/** As the official app turns codes by mail on: with the address that the account has. */
async function withEmailFactor(name: string): Promise<Owner> {
  const owner = await signUp(name)
  const email = `${name}@mail.test`
  await call(owner, 'requestEmailConfirmation')
  await call(owner, 'confirmEmail', { email, token: await api.mailedToken(email) })
  expect((await call(owner, 'updateEmail', { email, emailAuthFactor: true })).status).toBe(200)
  return owner
}

async function withTotp(name: string): Promise<{ owner: Owner; secret: Buffer; codes: string[] }> {
  const owner = await signUp(name)
  const { deps } = api.pods[0]!
  const hostId = (await deps.directory.findHost('one.test'))!.id
  const account = (await findAccountByDid(deps.db.pool, { hostId, did: owner.did }))!
  await beginTotp(deps, account)
  const secret = (await findPendingTotp(deps, account))!
  const announce = () => Promise.resolve()
  const codes = await confirmTotp({ ...deps, announce }, account, totpCode(secret, Date.now() - 30_000))
  return { owner, secret, codes }
}

const factorWanted = { status: 401, body: { error: 'AuthFactorTokenRequired' } }
const wrongCode = { status: 400, body: { error: 'InvalidToken', message: 'Token is invalid' } }

describe('codes by mail', () => {
  test('are asked for by createSession once the account wants them, and good once', async () => {
    const owner = await withEmailFactor('mailed')
    expect(await session(owner)).toMatchObject({ emailAuthFactor: true, emailConfirmed: true })
    expect(await signIn(owner)).toMatchObject(factorWanted)
    const mail = (await api.mails('mailed@mail.test')).at(-1)
    expect(mail?.subject).toBe('Your code to sign in')
    const authFactorToken = (await api.mailedToken('mailed@mail.test')).toLowerCase()
    expect(await signIn(owner, { authFactorToken: 'AAAAA-AAAAA' })).toMatchObject(wrongCode)
    const entered = await signIn(owner, { authFactorToken })
    expect(entered).toMatchObject({ status: 200, body: { did: owner.did, emailAuthFactor: true } })
    expect(await signIn(owner, { authFactorToken })).toMatchObject(wrongCode)
    const told = (await api.mails('mailed@mail.test')).map(({ subject }) => subject)
    expect(told).toContain('Your second factors were changed')
  })

  test('are neither mailed nor asked for while the password is wrong', async () => {
    const owner = await withEmailFactor('silent')
    const before = (await api.mails('silent@mail.test')).length
    for (const change of [{}, { authFactorToken: 'AAAAA-AAAAA' }]) {
      const answer = await signIn(owner, { password: 'wrong-pass', ...change })
      expect(answer).toMatchObject({ status: 401, body: { error: 'AuthenticationRequired' } })
    }
    expect(await api.mails('silent@mail.test')).toHaveLength(before)
  })

  test('are wanted of no app password', async () => {
    const owner = await withEmailFactor('older')
    const { body } = await call(owner, 'createAppPassword', { name: 'old client' })
    expect((await signIn(owner, { password: body.password })).status).toBe(200)
  })

  test('need a confirmed address, and end with a token that is mailed to it, or with the address', async () => {
    const owner = await signUp('unsure')
    const email = 'unsure@mail.test'
    const refused = { status: 400, body: { error: 'InvalidRequest' } }
    expect(await call(owner, 'updateEmail', { email, emailAuthFactor: true })).toMatchObject(refused)
    const elsewhere = { email: 'other@mail.test', emailAuthFactor: true }
    expect(await call(owner, 'updateEmail', elsewhere)).toMatchObject(refused)
    expect(await session(owner)).toMatchObject({ email, emailAuthFactor: false })
    const sure = await withEmailFactor('sure')
    const off = { email: 'sure@mail.test', emailAuthFactor: false }
    expect((await call(sure, 'updateEmail', off)).body.error).toBe('TokenRequired')
    await call(sure, 'requestEmailUpdate')
    const token = await api.mailedToken('sure@mail.test')
    expect((await call(sure, 'updateEmail', { ...off, token })).status).toBe(200)
    expect(await session(sure)).toMatchObject({ emailAuthFactor: false, emailConfirmed: true })
    expect((await signIn(sure)).status).toBe(200)
    await call(sure, 'updateEmail', { email: 'sure@mail.test', emailAuthFactor: true })
    await call(sure, 'requestEmailUpdate')
    const change = { email: 'surer@mail.test', token: await api.mailedToken('sure@mail.test') }
    expect((await call(sure, 'updateEmail', change)).status).toBe(200)
    expect(await session(sure)).toMatchObject({ email: 'surer@mail.test', emailAuthFactor: false })
  })
})

describe('an authenticator app', () => {
  test('opens createSession with a code, which no other pod takes again', async () => {
    const { owner, secret, codes } = await withTotp('totp')
    expect(await signIn(owner)).toMatchObject(factorWanted)
    expect(await api.mails('totp@mail.test')).toEqual([])
    const input = {
      identifier: owner.handle,
      password: 'totp-pass',
      authFactorToken: totpCode(secret, Date.now()),
    }
    const answers = await Promise.all(
      [0, 1].map((pod) => api.post(`${server}.createSession`, input, { pod })),
    )
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400])
    expect((await signIn(owner, { authFactorToken: codes[0] })).status).toBe(200)
    const { rows } = await api.db.pool.query<{ wrapped: Buffer }>('select wrapped from totp')
    expect(rows.some(({ wrapped }) => wrapped.includes(secret))).toBe(false)
  })

  test('goes with the account', async () => {
    const { owner } = await withTotp('leaves')
    await api.post('com.atproto.admin.deleteAccount', { did: owner.did }, { admin: true })
    for (const table of ['totp', 'recovery_code']) {
      const { rows } = await api.db.pool.query(
        `select 1 from ${table} t where not exists (select from account a where a.id = t.account_id)`,
      )
      expect(rows, table).toEqual([])
    }
  })
})

describe('the sign-in page of an app', () => {
  test('asks for the factor after the right password only, and takes any code', async () => {
    const owner = await withEmailFactor('opens')
    const browser = new TestBrowser(api)
    await browser.open(await localApp(api, 'atproto').authorize(owner.handle))
    expect(await browser.signIn(owner.handle, 'wrong-pass')).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    })
    expect(await browser.signIn(owner.handle, 'opens-pass')).toMatchObject({
      status: 401,
      body: { error: 'second_authentication_factor_required', type: 'emailOtp', hint: 'o***@mail.test' },
    })
    const emailOtp = await api.mailedToken('opens@mail.test')
    const input = { locale: 'en', username: owner.handle, password: 'opens-pass' }
    expect((await browser.call('sign-in', { ...input, emailOtp: 'AAAAA-AAAAA' })).status).toBe(400)
    expect((await browser.call('sign-in', { ...input, emailOtp })).status).toBe(200)
    const { owner: other, codes } = await withTotp('opener')
    const answer = await browser.call('sign-in', {
      locale: 'en',
      username: other.handle,
      password: 'opener-pass',
      emailOtp: codes[0],
    })
    expect(answer).toMatchObject({ status: 200, body: { account: { did: other.did } } })
  })
})

describe('a tenant', () => {
  test('may want a second factor of all, and allow no app passwords', async () => {
    const owner = await signUp('ruled')
    const app = (await call(owner, 'createAppPassword', { name: 'app' })).body.password
    const begun = (await signIn(owner, { password: app })).body
    await api.set('one', { secondFactor: 'required', appPasswords: false })
    try {
      expect(await signIn(owner)).toMatchObject(factorWanted)
      const authFactorToken = await api.mailedToken('ruled@mail.test')
      expect((await signIn(owner, { authFactorToken })).status).toBe(200)
      const refused = { status: 401, body: { error: 'AuthenticationRequired' } }
      expect(await signIn(owner, { password: app })).toMatchObject(refused)
      expect((await call(owner, 'createAppPassword', { name: 'more' })).status).toBe(400)
      const refreshed = await api.post(`${server}.refreshSession`, undefined, { token: begun.refreshJwt })
      expect(refreshed.body.error).toBe('ExpiredToken')
    } finally {
      await api.set('one', { secondFactor: 'optional', appPasswords: true })
    }
  })
})
