import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestApi } from './test-api.ts'

const createAccount = 'com.atproto.server.createAccount'
let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

async function plcData(did: string): Promise<any> {
  return (await fetch(`${api.plc.url}/${did}/data`)).json()
}

describe('createAccount', () => {
  test('registers a DID that names the handle, this host and the signing key', async () => {
    const { did, handle } = await api.signUp('alice')
    expect(handle).toBe('alice.one.test')
    const { rows } = await api.db.pool.query(
      'select did_key from signing_key join account on id = account_id where did = $1',
      [did],
    )
    expect(await plcData(did)).toEqual({
      did,
      rotationKeys: [api.pods[0]?.deps.plc.rotationDidKey],
      verificationMethods: { atproto: rows[0]?.did_key },
      alsoKnownAs: ['at://alice.one.test'],
      services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://one.test' } },
    })
    expect(await api.events(did)).toEqual(['identity', 'account', 'commit'])
  })

  // SPEC IDN-9
  test('puts the user’s own recovery key first', async () => {
    const recoveryKey = 'did:key:zQ3shunBKsXixLxKtC5qeSG9E4J5RkGN57im31pcTzbNQnm5w'
    const { did } = await api.signUp('rita', { recoveryKey })
    expect((await plcData(did)).rotationKeys[0]).toBe(recoveryKey)
    const refused = await api.post(createAccount, {
      handle: 'rob.one.test',
      email: 'rob@mail.test',
      password: 'rob-password',
      recoveryKey: 'nonsense',
    })
    expect(refused).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
  })

  test('the session works at once, on every pod, and is none at another host', async () => {
    const { did, accessJwt } = await api.signUp('sam')
    for (const pod of [0, 1]) {
      const session = await api.get('com.atproto.server.getSession', {}, { token: accessJwt, pod })
      expect(session.body).toEqual({
        did,
        handle: 'sam.one.test',
        email: 'sam@mail.test',
        emailConfirmed: false,
        emailAuthFactor: false,
        active: true,
      })
    }
    const elsewhere = await api.get(
      'com.atproto.server.getSession',
      {},
      { token: accessJwt, host: 'two.test' },
    )
    expect(elsewhere).toMatchObject({ status: 400, body: { error: 'InvalidToken' } })
  })

  // SPEC IDN-14, AU-9, ACC-3
  test.each([
    ['another host’s domain', { handle: 'bob.two.test' }, 'UnsupportedDomain'],
    ['a domain of nobody', { handle: 'bob.example.com' }, 'UnsupportedDomain'],
    ['too short a handle', { handle: 'ab.one.test' }, 'InvalidHandle'],
    ['too long a handle', { handle: `${'x'.repeat(19)}.one.test` }, 'InvalidHandle'],
    ['more than one label', { handle: 'a.bob.one.test' }, 'InvalidHandle'],
    ['a reserved handle', { handle: 'admin.one.test' }, 'HandleNotAvailable'],
    ['no handle at all', { handle: 'bob' }, 'InvalidRequest'],
    ['another character in a handle', { handle: 'jo_hn.one.test' }, 'InvalidRequest'],
    ['a DID for a handle', { handle: 'did:john.one.test' }, 'InvalidRequest'],
    ['a path for a handle', { handle: 'jo/hn.one.test' }, 'InvalidRequest'],
    ['an address to throw away', { email: 'bob@disposeamail.com' }, 'InvalidRequest'],
    ['an address that is none', { email: 'bob' }, 'InvalidRequest'],
    ['no address', { email: undefined }, 'InvalidRequest'],
    ['too long a password', { password: 'x'.repeat(257) }, 'InvalidPassword'],
    ['too short a password', { password: 'short' }, 'InvalidPassword'],
    ['plcOp', { plcOp: {} }, 'InvalidRequest'],
  ])('refuses %s', async (_name, change, error) => {
    const input = { handle: 'bob.one.test', email: 'bob@mail.test', password: 'bob-password', ...change }
    expect(await api.post(createAccount, input)).toMatchObject({ status: 400, body: { error } })
  })

  test.each(['Basic YWRtaW46eA==', 'DPoP x', 'Digest x'])('refuses credentials %s', async (authorization) => {
    const input = { handle: 'bob.one.test', email: 'bob@mail.test', password: 'bob-password' }
    const answer = await api.post(createAccount, input, { headers: { authorization } })
    expect(answer).toMatchObject({ status: 401, body: { error: 'AuthenticationRequired' } })
  })

  test('takes a password of 256 characters', async () => {
    expect(await api.signUp('longpass', { password: 'x'.repeat(256) })).toMatchObject({
      handle: 'longpass.one.test',
    })
  })

  test('refuses a handle and an address that are taken, in any case', async () => {
    await api.signUp('carol')
    const handle = await api.post(createAccount, {
      handle: 'Carol.one.test',
      email: 'carol2@mail.test',
      password: 'carol-pass',
    })
    expect(handle).toMatchObject({ status: 400, body: { error: 'HandleNotAvailable' } })
    const email = await api.post(createAccount, {
      handle: 'carol2.one.test',
      email: 'Carol@Mail.Test',
      password: 'carol-pass',
    })
    expect(email).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
  })

  test('of twenty sign-ups for one handle through two pods exactly one wins', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        api.post(
          createAccount,
          { handle: 'race.one.test', email: `race${n}@mail.test`, password: 'race-password' },
          { pod: n % 2 },
        ),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const losers = answers.filter(({ status }) => status !== 200)
    expect(losers.map(({ status, body }) => `${status} ${body.error}`)).toEqual(
      Array.from({ length: 19 }, () => '400 HandleNotAvailable'),
    )
    const { rows } = await api.db.pool
      .query(`select (select count(*) from account where email like 'race%') as accounts,
      (select count(*) from account_claim) as claims`)
    expect(rows).toEqual([{ accounts: 1, claims: 0 }])
    const exported = await (await fetch(`${api.plc.url}/export`)).text()
    expect(exported.split('\n').filter((line) => line.includes('race.one.test'))).toHaveLength(1)
  })

  test('a tenant may want invites, which count for its own accounts only', async () => {
    const input = (n: number, inviteCode?: string) => ({
      handle: `member${n}.club.test`,
      email: `member${n}@mail.test`,
      password: 'member-password',
      ...(inviteCode === undefined ? {} : { inviteCode }),
    })
    expect(await api.post(createAccount, input(1))).toMatchObject({
      status: 400,
      body: { error: 'InvalidInviteCode' },
    })
    const made = await api.post('com.atproto.server.createInviteCode', { useCount: 1 }, { admin: true })
    expect(made.body.code).toMatch(/^one-test-[a-z2-7]{5}-[a-z2-7]{5}$/)
    expect(await api.post(createAccount, input(1, made.body.code))).toMatchObject({
      body: { error: 'InvalidInviteCode' },
    })
    const forClub = { admin: true, headers: { 'rookery-tenant': 'club' } }
    const own = await api.post('com.atproto.server.createInviteCode', { useCount: 1 }, forClub)
    const member = await api.post(createAccount, input(1, own.body.code))
    expect(member.status).toBe(200)
    expect(await api.post(createAccount, input(2, own.body.code))).toMatchObject({
      body: { error: 'InvalidInviteCode' },
    })
    // What is for an account lets in to its tenant.
    const gift = { useCount: 1, codeCount: 1, forAccounts: [member.body.did] }
    const given = await api.post('com.atproto.server.createInviteCodes', gift, { admin: true })
    expect((await api.post(createAccount, input(2, given.body.codes[0].codes[0]))).status).toBe(200)
    const nobody = { admin: true, headers: { 'rookery-tenant': 'nobody' } }
    expect((await api.post('com.atproto.server.createInviteCode', { useCount: 1 }, nobody)).status).toBe(400)
  })

  // SPEC XR-13
  test('the operator’s methods want the operator', async () => {
    const refused = await api.post('com.atproto.server.createInviteCode', { useCount: 1 })
    expect(refused).toMatchObject({ status: 401, body: { error: 'AuthenticationRequired' } })
    expect(refused.headers['www-authenticate']).toMatch(/^Basic/)
    const wrong = Buffer.from('admin:wrong').toString('base64')
    const headers = { authorization: `Basic ${wrong}` }
    expect((await api.post('com.atproto.server.createInviteCode', { useCount: 1 }, { headers })).status).toBe(
      401,
    )
  })
})
