import { updateTenant } from '@rookery/tenants'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Answer, type CallOptions, TestApi } from './test-api.ts'

const hourMs = 3_600_000
const admin = { admin: true }
const forClub = { ...admin, headers: { 'rookery-tenant': 'club' } }
let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
  await accrue({ inviteIntervalMs: hourMs, inviteEpochMs: 0 })
})
afterAll(() => api[Symbol.asyncDispose]())

type Owner = { did: string; accessJwt: string }
type Code = { code: string; available: number; disabled: boolean; createdBy: string; uses: unknown[] }

async function accrue(settings: { inviteIntervalMs: number; inviteEpochMs: number }): Promise<void> {
  await updateTenant(api.db.database.kysely, 'club', { settings })
  for (const { deps } of api.pods) await deps.directory.refresh()
}

async function create(useCount = 1, forAccount?: string, options: CallOptions = forClub): Promise<string> {
  const input = { useCount, ...(forAccount !== undefined && { forAccount }) }
  return (await api.post('com.atproto.server.createInviteCode', input, options)).body.code
}

/** Signs up in the invite-only tenant. */
async function join(name: string, code?: string): Promise<Owner> {
  return api.signUp(name, { handle: `${name}.club.test`, inviteCode: code ?? (await create()) })
}

const tryToJoin = (name: string, inviteCode: string): Promise<Answer> =>
  api.post('com.atproto.server.createAccount', {
    handle: `${name}.club.test`,
    email: `${name}@mail.test`,
    password: 'a password',
    inviteCode,
  })

async function expectNoJoin(name: string, code: string): Promise<void> {
  expect((await tryToJoin(name, code)).body.error).toBe('InvalidInviteCode')
}

async function codesOf(owner: Owner, params: Record<string, string> = {}, pod = 0): Promise<Code[]> {
  const options = { token: owner.accessJwt, pod }
  const answer = await api.get('com.atproto.server.getAccountInviteCodes', params, options)
  expect(answer.status).toBe(200)
  return answer.body.codes
}

const age = (owner: Owner, hours: number): Promise<unknown> =>
  api.db.pool.query(`update account set created_at = now() - $2 * interval '1 hour' where did = $1`, [
    owner.did,
    hours,
  ])

const setTakedown = (did: string, applied: boolean): Promise<Answer> => {
  const subject = { $type: 'com.atproto.admin.defs#repoRef', did }
  return api.post('com.atproto.admin.updateSubjectStatus', { subject, takedown: { applied } }, admin)
}

describe('earned codes', () => {
  test('come one for each interval, are good for one sign-up, and are no more once used', async () => {
    const owner = await join('earner')
    expect(await codesOf(owner)).toEqual([])
    await age(owner, 2.5)
    expect(await codesOf(owner, { createAvailable: 'false' })).toEqual([])
    const codes = await codesOf(owner)
    expect(codes).toHaveLength(2)
    expect(codes[0]).toMatchObject({ available: 1, disabled: false, createdBy: owner.did, uses: [] })
    const guest = await join('invitee', codes[0]!.code)
    await expectNoJoin('second', codes[0]!.code)
    const after = await codesOf(owner)
    expect(after.map(({ code }) => code).toSorted()).toEqual(codes.map(({ code }) => code).toSorted())
    expect(after.find(({ code }) => code === codes[0]!.code)?.uses).toMatchObject([{ usedBy: guest.did }])
    expect((await codesOf(owner, { includeUsed: 'false' })).map(({ code }) => code)).toEqual([codes[1]!.code])
  })

  test('are made once however many ask at the same time, through whichever pod', async () => {
    const owner = await join('racer')
    await age(owner, 3.5)
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => codesOf(owner, {}, n % 2)))
    for (const codes of answers) expect(codes).toHaveLength(3)
  })

  test('do not count what the operator gave', async () => {
    const owner = await join('gifted')
    await age(owner, 2.5)
    for (let n = 0; n < 3; n++) await create(1, owner.did)
    const codes = await codesOf(owner)
    expect(codes.filter(({ createdBy }) => createdBy === 'admin')).toHaveLength(3)
    expect(codes.filter(({ createdBy }) => createdBy === owner.did)).toHaveLength(2)
  })

  test('count from the tenant’s epoch on', async () => {
    const owner = await join('veteran')
    await age(owner, 10.1)
    await accrue({ inviteIntervalMs: hourMs, inviteEpochMs: Date.now() - 3 * hourMs })
    expect(await codesOf(owner)).toHaveLength(3)
    // Unused ones from before the epoch are as good as others: with five open there are no more.
    await accrue({ inviteIntervalMs: hourMs, inviteEpochMs: 0 })
    expect(await codesOf(owner)).toHaveLength(5)
  })

  test('are not for accounts of tenants that invite nobody', async () => {
    const owner = await api.signUp('outsider')
    await age(owner, 10)
    expect(await codesOf(owner)).toEqual([])
  })

  test('are not for apps', async () => {
    const owner = await join('appuser')
    const input = { name: 'app' }
    const made = await api.post('com.atproto.server.createAppPassword', input, { token: owner.accessJwt })
    const login = { identifier: owner.did, password: made.body.password }
    const { accessJwt: token } = (await api.post('com.atproto.server.createSession', login)).body
    const answer = await api.get('com.atproto.server.getAccountInviteCodes', {}, { token })
    expect(answer).toMatchObject({ status: 400, body: { error: 'InvalidToken' } })
  })
})

describe('codes that are good for nothing', () => {
  test('are those of an account that is taken down or suspended, as long as it is', async () => {
    const owner = await join('fallen')
    const code = await create(3, owner.did)
    await setTakedown(owner.did, true)
    await expectNoJoin('visitor1', code)
    await setTakedown(owner.did, false)
    expect((await tryToJoin('visitor1', code)).status).toBe(200)
    await api.db.pool.query('update account set suspended_at = now() where did = $1', [owner.did])
    await expectNoJoin('visitor2', code)
  })

  test('are those that were disabled, by themselves or with all of an account', async () => {
    const owner = await join('stopped')
    const [first, second] = [await create(), await create(1, owner.did)]
    const disable = (input: object, options: CallOptions = admin): Promise<Answer> =>
      api.post('com.atproto.admin.disableInviteCodes', input, options)
    // Another tenant's are out of reach.
    const forOne = { ...admin, headers: { 'rookery-tenant': 'one' } }
    expect((await disable({ codes: [first], accounts: [owner.did] }, forOne)).status).toBe(200)
    const third = await create()
    expect((await tryToJoin('early', third)).status).toBe(200)
    expect((await disable({ codes: [first], accounts: [owner.did] })).status).toBe(200)
    await expectNoJoin('late1', first)
    await expectNoJoin('late2', second)
    expect(await codesOf(owner)).toEqual([])
    expect((await disable({ accounts: ['admin'] })).body.message).toBe('cannot disable admin invite codes')
  })

  test('are those of a deleted account, and nothing names it any more', async () => {
    const inviter = await join('inviter')
    const gift = await create(5, inviter.did)
    const owner = await join('leaver', gift)
    const own = await create(1, owner.did)
    await api.post('com.atproto.admin.deleteAccount', { did: owner.did }, admin)
    await expectNoJoin('tardy', own)
    const { rows } = await api.db.pool.query(
      `select code from invite_code where for_account = $1 or created_by = $1
       union all select code from invite_code_use where used_by = $1`,
      [owner.did],
    )
    expect(rows).toEqual([])
    expect(await codesOf(inviter)).toMatchObject([{ code: gift, uses: [] }])
  })
})

describe('what the operator sees', () => {
  const list = (params: Record<string, string>, options: CallOptions = forClub): Promise<Answer> =>
    api.get('com.atproto.admin.getInviteCodes', params, options)

  async function pages(sort: string): Promise<Code[]> {
    const codes: Code[] = []
    let cursor: string | undefined
    do {
      const { body } = await list({ sort, limit: '3', ...(cursor !== undefined && { cursor }) })
      codes.push(...body.codes)
      cursor = body.cursor
    } while (cursor !== undefined)
    return codes
  }

  test('is every code of a tenant, the newest or the most used first, page by page', async () => {
    const often = await create(10)
    for (const name of ['uses1', 'uses2', 'uses3', 'uses4', 'uses5']) await join(name, often)
    const newest = await create(4)
    const recent = (await list({ limit: '500' })).body.codes
    expect(recent[0]).toMatchObject({ code: newest, available: 4, createdBy: 'admin', forAccount: 'admin' })
    const times = recent.map(({ createdAt }: { createdAt: string }) => createdAt)
    expect(times).toEqual(times.toSorted((a: string, b: string) => b.localeCompare(a)))
    expect(await pages('recent')).toEqual(recent)
    const used = (await list({ sort: 'usage', limit: '500' })).body.codes
    expect(used[0]).toMatchObject({ code: often, available: 10 })
    expect(used[0].uses).toHaveLength(5)
    const counts = used.map(({ uses }: Code) => uses.length)
    expect(counts).toEqual(counts.toSorted((a: number, b: number) => b - a))
    expect(await pages('usage')).toEqual(used)
    expect(used).toHaveLength(recent.length)
  })

  test('leaves out other tenants and hosts, and takes no cursor that is none', async () => {
    const other = await create(1, undefined, { ...admin, headers: { 'rookery-tenant': 'one' } })
    const codes = async (options: CallOptions) =>
      (await list({ limit: '500' }, options)).body.codes.map(({ code }: Code) => code)
    expect(await codes(forClub)).not.toContain(other)
    expect(await codes(admin)).toContain(other)
    expect(await codes({ ...admin, host: 'two.test' })).toEqual([])
    for (const params of [{ cursor: 'x' }, { cursor: '1' }, { sort: 'name' }]) {
      expect((await list(params)).status).toBe(400)
    }
  })

  test('is who invited whom, and why somebody may not any more', async () => {
    const owner = await join('networker')
    const code = await create(2, owner.did)
    const guest = await join('networked', code)
    const info = async (did: string) =>
      (await api.get('com.atproto.admin.getAccountInfo', { did }, admin)).body
    expect((await info(guest.did)).invitedBy).toMatchObject({ code, available: 2, forAccount: owner.did })
    expect((await info(owner.did)).invites).toMatchObject([{ code, uses: [{ usedBy: guest.did }] }])
    const change = (method: string, note?: string): Promise<Answer> =>
      api.post(`com.atproto.admin.${method}`, { account: owner.did, note }, admin)
    await change('disableAccountInvites', 'spam')
    expect(await info(owner.did)).toMatchObject({ invitesDisabled: true, inviteNote: 'spam' })
    // What it earns meanwhile is counted and lost; what it has stays good.
    await age(owner, 2.5)
    expect((await codesOf(owner)).map((each) => each.code)).toEqual([code])
    expect((await info(owner.did)).invites).toHaveLength(3)
    await change('enableAccountInvites')
    const after = await info(owner.did)
    expect(after.invitesDisabled).toBe(false)
    expect(after).not.toHaveProperty('inviteNote')
    expect(await codesOf(owner)).toHaveLength(1)
    await age(owner, 3.5)
    expect(await codesOf(owner)).toHaveLength(2)
  })
})
