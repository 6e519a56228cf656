import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Answer, TestApi } from './test-api.ts'

const server = 'com.atproto.server'
let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

const admin = { admin: true }
const get = (method: string, params: Record<string, string> = {}): Promise<Answer> =>
  api.get(`com.atproto.admin.${method}`, params, admin)
const post = (method: string, input: object): Promise<Answer> =>
  api.post(`com.atproto.admin.${method}`, input, admin)
const signIn = (identifier: string, password: string): Promise<Answer> =>
  api.post(`${server}.createSession`, { identifier, password })

describe('looking at accounts', () => {
  test('shows one with its address, and says when there is none', async () => {
    const { did } = await api.signUp('seen')
    expect((await get('getAccountInfo', { did })).body).toEqual({
      did,
      handle: 'seen.one.test',
      email: 'seen@mail.test',
      indexedAt: expect.stringMatching(/Z$/),
      invites: [],
      invitesDisabled: false,
    })
    expect(await get('getAccountInfo', { did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' })).toMatchObject({
      status: 400,
      body: { error: 'NotFound', message: 'Account not found' },
    })
  })

  test('shows several and leaves out those that are not there', async () => {
    const [one, two] = [await api.signUp('first'), await api.signUp('second')]
    const query = new URLSearchParams()
    for (const did of [one.did, 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', two.did]) query.append('dids', did)
    const url = `/xrpc/com.atproto.admin.getAccountInfos?${query.toString()}`
    const answer = await api.request({ method: 'GET', url }, admin)
    expect(answer.body.infos.map(({ did }: { did: string }) => did)).toEqual([one.did, two.did])
  })

  test('finds them by the beginning of their address, page by page', async () => {
    for (const n of [1, 2, 3]) await api.signUp(`found${n}`)
    const names: string[] = []
    let cursor: string | undefined
    do {
      const params = { email: 'Found', limit: '2', ...(cursor !== undefined && { cursor }) }
      const { body } = await get('searchAccounts', params)
      names.push(...body.accounts.map(({ handle }: { handle: string }) => handle))
      cursor = body.cursor
    } while (cursor !== undefined)
    expect(names).toEqual(['found1.one.test', 'found2.one.test', 'found3.one.test'])
    // What stands for anything in a pattern is a character here.
    expect((await get('searchAccounts', { email: 'found%' })).body.accounts).toEqual([])
    expect((await get('searchAccounts', { cursor: 'x' })).status).toBe(400)
  })
})

describe('changing an account', () => {
  test('gives it another address, to be confirmed anew', async () => {
    const owner = await api.signUp('address')
    await api.post(`${server}.requestEmailConfirmation`, undefined, { token: owner.accessJwt })
    const token = await api.mailedToken('address@mail.test')
    const confirmed = { email: 'address@mail.test', token }
    await api.post(`${server}.confirmEmail`, confirmed, { token: owner.accessJwt })
    expect((await get('getAccountInfo', { did: owner.did })).body.emailConfirmedAt).toBeDefined()
    const input = { account: owner.handle, email: 'New@Mail.test' }
    expect((await post('updateAccountEmail', input)).status).toBe(200)
    const { body } = await get('getAccountInfo', { did: owner.did })
    expect(body).toMatchObject({ email: 'new@mail.test' })
    expect(body.emailConfirmedAt).toBeUndefined()
    await api.signUp('holder')
    for (const email of ['holder@mail.test', 'no address']) {
      expect((await post('updateAccountEmail', { account: owner.did, email })).status).toBe(400)
    }
    expect(
      await post('updateAccountEmail', { account: 'nobody.one.test', email: 'a@mail.test' }),
    ).toMatchObject({ status: 400, body: { message: 'Account does not exist: nobody.one.test' } })
  })

  test('gives it another password and ends its sessions', async () => {
    const owner = await api.signUp('locked')
    expect((await post('updateAccountPassword', { did: owner.did, password: 'short' })).status).toBe(400)
    const input = { did: owner.did, password: 'given by hand' }
    expect((await post('updateAccountPassword', input)).status).toBe(200)
    expect((await signIn(owner.handle, 'locked-pass')).status).toBe(401)
    expect((await signIn(owner.handle, 'given by hand')).status).toBe(200)
    const refreshed = await api.post(`${server}.refreshSession`, undefined, { token: owner.refreshJwt })
    expect(refreshed.body.error).toBe('ExpiredToken')
  })

  test('gives it a name that it could not take, but none of another tenant or host', async () => {
    const owner = await api.signUp('renamed')
    const rename = (handle: string) => post('updateAccountHandle', { did: owner.did, handle })
    expect((await rename('admin.one.test')).status).toBe(200)
    expect((await api.get(`${server}.getSession`, {}, { token: owner.accessJwt })).body.handle).toBe(
      'admin.one.test',
    )
    expect(await api.events(owner.did)).toContain('identity')
    for (const handle of ['renamed.two.test', 'renamed.club.test']) {
      expect((await rename(handle)).body.error).toBe('UnsupportedDomain')
    }
    expect((await rename('renamed.example.com')).body.message).toBe('External handle did not resolve to DID')
    await api.signUp('kept')
    expect((await rename('kept.one.test')).body.error).toBe('HandleNotAvailable')
  })

  test('stops and allows its invitations', async () => {
    const { did } = await api.signUp('inviter')
    expect((await post('disableAccountInvites', { account: did })).status).toBe(200)
    expect((await get('getAccountInfo', { did })).body.invitesDisabled).toBe(true)
    await post('enableAccountInvites', { account: did })
    expect((await get('getAccountInfo', { did })).body.invitesDisabled).toBe(false)
  })

  test('deletes it for good', async () => {
    const owner = await api.signUp('removed')
    expect((await post('deleteAccount', { did: owner.did })).status).toBe(200)
    expect((await get('getAccountInfo', { did: owner.did })).status).toBe(400)
    expect((await signIn(owner.handle, 'removed-pass')).status).toBe(401)
    const before = await api.db.pool.query('select count(*) from event_queue')
    const unknown = await post('deleteAccount', { did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' })
    expect(unknown).toMatchObject({ status: 400, body: { error: 'NotFound' } })
    expect((await api.db.pool.query('select count(*) from event_queue')).rows).toEqual(before.rows)
  })
})

test('nobody but the operator may', async () => {
  const owner = await api.signUp('curious')
  for (const credentials of [{}, { token: owner.accessJwt }]) {
    const answer = await api.get('com.atproto.admin.getAccountInfo', { did: owner.did }, credentials)
    expect(answer.status).toBe(401)
  }
})
