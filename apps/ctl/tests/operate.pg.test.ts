import { createInviteCodes, issueEmailToken, listAuditEntries } from '@rookery/accounts'
import { type TestDatabase, type TestRedis, createTestDatabase, testRedis } from '@rookery/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { runCtl } from '../src/app.ts'

let db: TestDatabase
let redis: TestRedis
const at = ['--host', 'pds.people.com'] as const
const ann = 'did:plc:ann'

beforeAll(async () => {
  db = await createTestDatabase()
  redis = await testRedis()
  await json('tenant', 'create', 'people', '--name', 'People')
  await json('host', 'create', 'pds.people.com', '--tenant', 'people')
})
afterAll(async () => {
  await redis[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
})
beforeEach(async () => {
  await db.pool.query(
    `truncate account, refresh_token, oauth_token, oauth_device, oauth_device_account, record, invite_code, job_outbox,
       mail_delivery, audit_entry`,
  )
  await db.pool.query(
    `insert into account (id, host_id, tenant_id, did, handle, email)
     overriding system value
     select 1, id, default_tenant_id, $1, 'ann.people.com', 'ann@people.com' from host`,
    [ann],
  )
})

async function ctl(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const code = await runCtl(argv, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: {
      ROOKERY_DATABASE_URL: db.url,
      ROOKERY_REDIS_URL: redis.url,
      ROOKERY_REDIS_PREFIX: redis.prefix,
      ROOKERY_CRAWL_RELAYS: 'https://relay.example',
    },
  })
  return { code, out, err }
}

async function json(...argv: string[]): Promise<unknown> {
  const { code, out, err } = await ctl(...argv, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out)
}

async function auditedActions(): Promise<string[]> {
  const { rows } = await db.pool.query<{ id: number }>('select id from host')
  const entries = await listAuditEntries(db.pool, { hostId: rows[0]?.id ?? 0, limit: 100 })
  return entries.map(({ action }) => action)
}

describe('ctl session', () => {
  test('lists the sessions of an account and ends them all', async () => {
    await db.pool.query(
      `insert into refresh_token (account_id, id, expires_at, app_password_name, next_id) values
         (1, 'a', now() + interval '1 day', null, null), (1, 'b', now() + interval '1 day', 'reader', null),
         (1, 'c', now() + interval '1 day', null, 'a'), (2, 'd', now() + interval '1 day', null, null)`,
    )
    await db.pool.query(
      `insert into oauth_device (host_id, id, session_id, user_agent, ip_address, last_seen_at)
       select id, 'dev', 'ses', 'Firefox', '192.0.2.1', now() from host`,
    )
    await db.pool.query(
      `insert into oauth_device_account (host_id, device_id, account_id) select id, 'dev', 1 from host`,
    )
    const listed = (await json('session', 'list', ann, ...at)) as { kind: string; client: string | null }[]
    expect(listed.map(({ kind, client }) => `${kind} ${client}`).sort()).toEqual([
      'app-password reader',
      'browser Firefox',
      'password null',
    ])
    expect(await json('session', 'revoke', ann, ...at, '--dry-run')).toMatchObject({ wouldRevoke: listed })
    expect(await json('session', 'revoke', 'ann.people.com', ...at)).toEqual({ did: ann, revoked: 3 })
    expect(await json('session', 'list', ann, ...at)).toEqual([])
    const { rows } = await db.pool.query('select id from refresh_token')
    expect(rows).toEqual([{ id: 'd' }])
    expect(await auditedActions()).toEqual(['session revoke'])
  })
})

describe('ctl account reset-password', () => {
  test('mails a token, or prints one that is good', async () => {
    expect(await json('account', 'reset-password', ann, ...at)).toEqual({ mailed: ann })
    expect(await json('mail', 'list')).toMatchObject([
      { template: 'reset-password', recipient: 'ann@people.com' },
    ])
    const other = await issueEmailToken(db.pool, 1, 'confirm_email')
    const { token } = (await json('account', 'reset-password', ann, ...at, '--print')) as { token: string }
    expect(token).toMatch(/^[A-Z2-7]{5}-[A-Z2-7]{5}$/)
    expect(token).not.toBe(other)
    const { rows } = await db.pool.query('select purpose from email_token order by purpose')
    expect(rows).toEqual([{ purpose: 'confirm_email' }, { purpose: 'reset_password' }])
    expect(await auditedActions()).toEqual(['account reset-password', 'account reset-password'])
    await db.pool.query('update account set email = null')
    expect((await ctl('account', 'reset-password', ann, ...at)).code).toBe(1)
  })
})

describe('ctl record', () => {
  const uri = `at://${ann}/app.bsky.feed.post/3jzfcijpj2z2a`

  test('takes a record down and lifts that', async () => {
    await db.pool.query(
      `insert into record (account_id, collection, rkey, cid, rev, bytes)
       values (1, 'app.bsky.feed.post', '3jzfcijpj2z2a', decode('01711220' || repeat('00', 32), 'hex'), 'r', '')`,
    )
    const call = ['record', 'takedown', uri, ...at, '--ref', 'case-7']
    expect(await json(...call, '--dry-run')).toMatchObject({ uri, takedown_ref: null })
    expect(await json(...call)).toMatchObject({ uri, takedown_ref: 'case-7' })
    expect(await json('record', 'show', uri, ...at)).toMatchObject({ takedown_ref: 'case-7' })
    expect(await json('record', 'restore', uri, ...at)).toMatchObject({ takedown_ref: null })
    expect(await auditedActions()).toEqual(['record restore', 'record takedown'])
    expect((await ctl('record', 'show', `${uri}x`, ...at)).code).toBe(1)
    expect((await ctl('record', 'show', `at://${ann}`, ...at)).code).toBe(2)
  })
})

describe('ctl invite', () => {
  test('lists codes, disables and enables them', async () => {
    const { rows } = await db.pool.query<{ id: number; default_tenant_id: number }>('select * from host')
    const made = await createInviteCodes(db.pool, {
      hostId: rows[0]?.id ?? 0,
      tenantId: rows[0]?.default_tenant_id ?? 0,
      hostname: 'pds.people.com',
      uses: 1,
      codesPerAccount: 1,
      forAccounts: ['admin', ann],
      createdBy: 'admin',
    })
    const [admins, anns] = made.map(({ codes }) => codes[0] ?? '')
    const disabled = async () =>
      ((await json('invite', 'list', ...at)) as { code: string; disabled: boolean }[])
        .filter((code) => code.disabled)
        .map(({ code }) => code)
    await json('invite', 'disable', String(admins), ...at)
    expect(await disabled()).toEqual([admins])
    await json('invite', 'disable', '--account', ann, ...at)
    expect(await disabled()).toHaveLength(2)
    expect(await json('invite', 'enable', String(anns), 'nonesuch', ...at)).toEqual({ enabled: [anns] })
    expect(await disabled()).toEqual([admins])
    expect((await ctl('invite', 'list', ...at)).out).toMatch(/^CODE +FOR +USES/)
    expect((await ctl('invite', 'disable', ...at)).code).toBe(2)
    await json('invite', 'account', ann, 'off', ...at, '--note', 'sells codes')
    expect(await json('account', 'show', ann, ...at)).toMatchObject({
      invites_disabled: true,
      invite_note: 'sells codes',
    })
  })
})

describe('ctl host and tenant', () => {
  test('show one whole', async () => {
    expect(await json('host', 'show', 'pds.people.com')).toMatchObject({
      serviceDid: 'did:web:pds.people.com',
    })
    expect(await json('tenant', 'show', 'people')).toMatchObject({ settings: { inviteRequired: false } })
    expect((await ctl('tenant', 'show', 'nobody')).code).toBe(1)
  })
})

describe('a command that adds jobs or events', () => {
  test('wakes the workers and the sequencer', async () => {
    const heard: string[] = []
    const listener = redis.redis.duplicate()
    await listener.subscribe(redis.keys.jobWake, redis.keys.eventWake)
    const woken = new Promise<void>((resolve) => {
      listener.on('message', (channel) => {
        heard.push(channel)
        if (heard.length === 2) resolve()
      })
    })
    await json('crawl')
    await woken
    expect(heard.sort()).toEqual([redis.keys.eventWake, redis.keys.jobWake].sort())
    await listener.quit()
  })
})
