import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Answer, type CallOptions, TestApi } from './test-api.ts'

const suspend = 'net.rookery.admin.suspendAccount'
const unsuspend = 'net.rookery.admin.unsuspendAccount'
const admin = { admin: true }
let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

const entries = async (params: Record<string, string> = {}, options: CallOptions = admin): Promise<any> =>
  (await api.get('net.rookery.admin.listAuditEntries', params, options)).body

describe('suspension', () => {
  test('closes the account with its next request and is lifted, and the network learns of both', async () => {
    const owner = await api.signUp('pausing')
    const token = owner.accessJwt
    const { did } = owner
    expect((await api.post(suspend, { did, reason: 'unpaid' }, admin)).status).toBe(200)
    expect((await api.post(suspend, { did }, admin)).status).toBe(200)
    expect((await api.get('com.atproto.sync.getRepoStatus', { did })).body).toEqual({
      did,
      active: false,
      status: 'suspended',
    })
    expect((await api.get('com.atproto.sync.getRepo', { did })).body.error).toBe('RepoSuspended')
    expect((await api.get('com.atproto.sync.getRepo', { did }, { token })).status).toBe(200)
    const record = { text: 'no', createdAt: '2026-01-01T00:00:00.000Z' }
    const input = { repo: did, collection: 'app.bsky.feed.post', record }
    const write = (): Promise<Answer> => api.post('com.atproto.repo.createRecord', input, { token, pod: 1 })
    expect((await write()).body.error).toBe('AccountTakedown')
    const refresh = await api.post('com.atproto.server.refreshSession', undefined, {
      token: owner.refreshJwt,
    })
    expect(refresh.body.error).toBe('AccountTakedown')
    const login = { identifier: did, password: 'pausing-pass' }
    expect((await api.post('com.atproto.server.createSession', login)).body.error).toBe('AccountTakedown')
    expect((await api.get('com.atproto.identity.resolveHandle', { handle: owner.handle })).status).toBe(400)
    expect((await api.post(unsuspend, { did }, admin)).status).toBe(200)
    expect((await write()).status).toBe(200)
    expect((await api.events(did)).slice(3)).toEqual(['account', 'account', 'sync', 'commit'])
  })

  test('is for the operator, and for an account that is here', async () => {
    const { did, accessJwt: token } = await api.signUp('steady')
    for (const nsid of [suspend, unsuspend]) {
      expect((await api.post(nsid, { did }, { token })).status).toBe(401)
      const unknown = await api.post(nsid, { did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' }, admin)
      expect(unknown).toMatchObject({ status: 400, body: { error: 'NotFound' } })
    }
  })
})

describe('the audit log', () => {
  test('tells who did what to an account, also after it is gone, and keeps no secrets', async () => {
    const { did, handle } = await api.signUp('watched')
    const call = (method: string, input: object): Promise<Answer> =>
      api.post(`com.atproto.admin.${method}`, input, admin)
    await call('updateAccountPassword', { did, password: 'a secret of theirs' })
    await call('updateAccountEmail', { account: handle, email: 'private@mail.test' })
    const subject = { $type: 'com.atproto.admin.defs#repoRef', did }
    await call('updateSubjectStatus', { subject, takedown: { applied: true, ref: 'case-9' } })
    await api.post(suspend, { did, reason: 'unpaid' }, admin)
    await call('deleteAccount', { did })
    const refused = await call('updateAccountPassword', { did, password: 'too late' })
    expect(refused.status).toBe(400)
    const { entries: found } = await entries({ did })
    expect(found.map(({ action }: { action: string }) => action.split('.').at(-1))).toEqual([
      'deleteAccount',
      'suspendAccount',
      'updateSubjectStatus',
      'updateAccountEmail',
      'updateAccountPassword',
    ])
    expect(found[1]).toMatchObject({ did, actor: 'admin', detail: { reason: 'unpaid' } })
    expect(found[2].detail).toEqual({ subject, takedown: { applied: true, ref: 'case-9' } })
    expect(JSON.stringify(found)).not.toMatch(/secret|private@/)
  })

  test('is listed page by page, for one tenant or all, and of its own host', async () => {
    const { did } = await api.signUp('paged')
    for (let n = 0; n < 3; n++) await api.post(suspend, { did, reason: `reason ${n}` }, admin)
    const reasons: string[] = []
    let cursor: string | undefined
    do {
      const page = await entries({ did, limit: '2', ...(cursor !== undefined && { cursor }) })
      reasons.push(...page.entries.map((entry: { detail: { reason: string } }) => entry.detail.reason))
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(reasons).toEqual(['reason 2', 'reason 1', 'reason 0'])
    const ofTenant = (slug: string) => entries({ did }, { ...admin, headers: { 'rookery-tenant': slug } })
    expect((await ofTenant('one')).entries).toHaveLength(3)
    expect((await ofTenant('club')).entries).toEqual([])
    expect((await entries({ did }, { ...admin, host: 'two.test' })).entries).toEqual([])
    const answer = await api.get('net.rookery.admin.listAuditEntries', { cursor: 'x' }, admin)
    expect(answer.status).toBe(400)
  })

  test('cuts what is too long', async () => {
    const accounts = Array.from({ length: 300 }, (_, n) => `did:plc:${String(n).padStart(24, 'a')}`)
    expect((await api.post('com.atproto.admin.disableInviteCodes', { accounts }, admin)).status).toBe(200)
    const { entries: found } = await entries({ limit: '1' })
    expect(found[0].action).toBe('com.atproto.admin.disableInviteCodes')
    expect(found[0].detail.cut).toHaveLength(4_096)
  })
})
