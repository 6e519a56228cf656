import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'

import { addJob, listJobs } from '@rookery/jobs'
import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { getTenant, tenantSettings } from '@rookery/tenants'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { buildProgram, commandReference, runCtl } from '../src/app.ts'
import { groups } from '../src/groups.ts'
import { CtlContext } from '../src/context.ts'
import { examples } from '../src/examples.ts'
import { leaves } from '../src/help.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

const environment = (): NodeJS.ProcessEnv => ({
  ROOKERY_DATABASE_URL: db.url,
  ROOKERY_REDIS_URL: 'redis://127.0.0.1:1',
  ROOKERY_CRAWL_RELAYS: 'https://relay.example',
})

async function ctl(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const code = await runCtl(argv, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: environment(),
  })
  return { code, out, err }
}

async function json(...argv: string[]): Promise<unknown> {
  const { code, out, err } = await ctl(...argv, '--json')
  expect(err).toBe('')
  expect(code).toBe(0)
  return JSON.parse(out)
}

describe('ctl', () => {
  test('shows help with examples of every command, without a database', async () => {
    const context = new CtlContext({ out: () => {}, err: () => {} }, () => ({}) as never)
    const all = leaves(await buildProgram(context)).map(({ path }) => path)
    expect(Object.keys(examples).sort()).toEqual([...all].sort())
    for (const path of all) {
      const { code, out } = await ctl(...path.split(' '), '--help')
      expect([path, code]).toEqual([path, 0])
      expect(out).toContain(`Examples:\n  $ ctl ${path}`)
    }
    expect((await ctl('host', '--help')).out).toContain('$ ctl host create')
  })

  test('says the same of a command whether it is loaded or not', async () => {
    const context = new CtlContext({ out: () => {}, err: () => {} }, () => ({}) as never)
    const loaded = (await buildProgram(context)).commands.filter((each) => each.name() !== 'complete')
    expect(loaded.map((each) => [each.name(), each.description()])).toEqual(
      groups.map(({ name, description }) => [name, description]),
    )
  })

  test('its reference is current', async () => {
    const written = await readFile(new URL('../../../docs/ctl.md', import.meta.url), 'utf8')
    expect(written, 'run pnpm gen').toBe(await commandReference())
  })

  test.each([
    ['ho', ['host']],
    ['host li', ['list']],
    ['host list --', ['--help', '--json']],
    ['account list --status su', ['suspended']],
    ['completion ', ['bash', 'fish', 'zsh']],
    ['account list --host ', []],
  ])('completes "%s"', async (line, expected) => {
    expect((await ctl('complete', '--', ...line.split(' '))).out.split('\n').slice(0, -1)).toEqual(expected)
  })

  test('completes in bash', async () => {
    const { out } = await ctl('completion', 'bash', '--name', 'rookery-ctl')
    const main = new URL('../src/main.ts', import.meta.url).pathname
    const line = `rookery-ctl() { "${process.execPath}" "${main}" "$@"; }
      ${out}
      COMP_WORDS=(rookery-ctl jobs dis); COMP_CWORD=2; _rookery_ctl_complete; echo "\${COMPREPLY[@]}"`
    const run = spawnSync('bash', ['-c', line], { encoding: 'utf8', env: { PATH: process.env['PATH'] } })
    expect(run.stdout).toBe('discard\n')
  })

  test('exits with 2 when it is called wrongly', async () => {
    for (const argv of [
      ['frobnicate'],
      ['host', 'create', 'pds.acme.com'],
      ['host', 'create', 'pds.acme.com', '--tenant', 'acme', '--kind', 'odd'],
      ['tenant', 'edit', 'acme', '--invites', 'maybe'],
      ['tenant', 'edit', 'acme', '--invite-interval-ms', '-1'],
      ['tenant', 'edit', 'acme', '--appview', 'https://api.example'],
      ['tenant', 'edit', 'acme', '--rate-limits', 'no-such-bucket=1/1'],
      ['host', 'edit', 'pds.acme.com', '--rate-limits', 'global-ip=1'],
      ['jobs', 'retry'],
      ['jobs', 'retry', '1', '--all'],
      ['jobs', 'discard', 'x'],
    ]) {
      const { code, err } = await ctl(...argv)
      expect([argv, code]).toEqual([argv, 2])
      expect(err).not.toBe('')
    }
  })

  test('says plainly what is wrong with the configuration, and exits with 1', async () => {
    let err = ''
    const io = { out: () => {}, err: (text: string) => (err += text), env: { ROOKERY_DATABASE_ULR: 'x' } }
    expect(await runCtl(['host', 'list'], io)).toBe(1)
    expect(err).toContain('did you mean ROOKERY_DATABASE_URL?')
    expect(err).toContain('ROOKERY_REDIS_URL is required')
    expect(err).not.toMatch(/^ +at /m)
  })

  test('says that the database does not answer', async () => {
    let err = ''
    const env = { ...environment(), ROOKERY_DATABASE_URL: 'postgres://127.0.0.1:1/x' }
    expect(await runCtl(['host', 'list'], { out: () => {}, err: (text) => (err += text), env })).toBe(1)
    expect(err).toBe('ctl: the database does not answer: is it running?\n')
  })

  test('runs as a process from the checkout', () => {
    const run = (...argv: string[]) =>
      spawnSync(process.execPath, [new URL('../src/main.ts', import.meta.url).pathname, ...argv], {
        env: { ...environment(), PATH: process.env['PATH'] },
        encoding: 'utf8',
      })
    const status = run('migrate', '--status', '--json')
    expect(status.stderr).toBe('')
    expect(status.status).toBe(0)
    expect(JSON.parse(status.stdout)).toContainEqual({ name: '0001-tenancy', applied: expect.any(String) })
    expect(run('nothing').status).toBe(2)
    expect(run('host', 'suspend', 'nowhere.example').status).toBe(1)
  }, 120_000)
})

describe('ctl migrate', () => {
  test('has nothing to do on a current schema', async () => {
    expect(await json('migrate')).toEqual({ applied: [] })
    expect(await json('migrate', '--dry-run')).toEqual([])
    expect((await ctl('migrate', '--status')).out).toMatch(/^NAME +APPLIED\n0001-tenancy +2\d\d\d-/)
  })
})

describe('ctl tenant, host and domain', () => {
  test('create, edit, suspend and list tenants with every setting', async () => {
    await json('tenant', 'create', 'acme', '--name', 'Acme Inc.', '--invites', 'on')
    const flags = {
      signUpClosed: ['--sign-up-closed', 'on', true],
      emailDomains: ['--email-domains', 'acme.com, mail.acme.com', ['acme.com', 'mail.acme.com']],
      inviteRequired: ['--invites', 'off', false],
      inviteIntervalMs: ['--invite-interval-ms', '86400000', 86_400_000],
      inviteEpochMs: ['--invite-epoch', '1700000000000', 1_700_000_000_000],
      reservedHandles: ['--reserved-handles', 'dean, Rector', ['dean', 'rector']],
      offensiveWords: ['--offensive-words', 'blorb', ['blorb']],
      contactEmail: ['--contact-email', 'it@acme.com', 'it@acme.com'],
      termsOfServiceUrl: ['--terms-url', 'https://acme.com/terms', 'https://acme.com/terms'],
      privacyPolicyUrl: ['--privacy-url', 'https://acme.com/privacy', 'https://acme.com/privacy'],
      lexiconResolution: ['--lexicon-resolution', 'require', 'require'],
      appView: [
        '--appview',
        'did:web:av.com,https://av.com,https://cdn.com/a,b/%s',
        { did: 'did:web:av.com', url: 'https://av.com', cdnUrlPattern: 'https://cdn.com/a,b/%s' },
      ],
      chat: ['--chat', 'did:web:c.com,https://c.com', { did: 'did:web:c.com', url: 'https://c.com' }],
      moderation: [
        '--moderation',
        'did:web:m.com,https://m.com',
        { did: 'did:web:m.com', url: 'https://m.com' },
      ],
      report: ['--report', 'did:web:r.com,https://r.com', { did: 'did:web:r.com', url: 'https://r.com' }],
      rateLimits: [
        '--rate-limits',
        'repo-write-day=off,sign-in=9/60',
        { 'repo-write-day': null, 'sign-in': { points: 9, windowMs: 60_000 } },
      ],
      blobBytesMax: ['--blob-bytes-max', '1000', 1_000],
      blobTypes: ['--blob-types', 'image/*, video/mp4', ['image/*', 'video/mp4']],
      blobTypesRefused: ['--blob-types-refused', 'image/gif', ['image/gif']],
      blobLocation: ['--blob-location', 'strip', 'strip'],
      accountBlobBytesMax: ['--account-blob-bytes-max', '0', 0],
      tenantBlobBytesMax: ['--tenant-blob-bytes-max', '5000', 5_000],
      secondFactor: ['--second-factor', 'required', 'required'],
      appPasswords: ['--app-passwords', 'off', false],
      captchaSiteKey: ['--captcha-site-key', '10000000-ffff', '10000000-ffff'],
      captchaScoreMax: ['--captcha-score-max', '0.7', 0.7],
      browserSessionMs: ['--browser-session', '12h', 43_200_000],
      trustedBrowserMs: ['--trusted-browser', '0d', 0],
      oauthPublicSessionMs: ['--oauth-public-session', '7d', 604_800_000],
      oauthPublicRefreshMs: ['--oauth-public-refresh', '90m', 5_400_000],
      oauthConfidentialSessionMs: ['--oauth-confidential-session', '90d', 7_776_000_000],
      oauthConfidentialRefreshMs: ['--oauth-confidential-refresh', '30d', 2_592_000_000],
      passwordSessionMs: ['--password-session', '30d', 2_592_000_000],
      logoUrl: ['--logo-url', 'https://acme.com/logo.png', 'https://acme.com/logo.png'],
      brandColor: ['--brand-color', '#2b4c7e', '#2b4c7e'],
      supportUrl: ['--support-url', 'https://acme.com/help', 'https://acme.com/help'],
      defaultLocale: ['--default-locale', 'de', 'de'],
      mailFrom: ['--mail-from', 'hello@acme.com', 'hello@acme.com'],
      mailFromName: ['--mail-from-name', 'Acme Mail', 'Acme Mail'],
      mailReplyTo: ['--mail-reply-to', 'help@acme.com', 'help@acme.com'],
      mailModerationFrom: ['--mail-moderation-from', 'mods@acme.com', 'mods@acme.com'],
      mailFooter: ['--mail-footer', 'Acme Inc., Springfield', 'Acme Inc., Springfield'],
      mailsPerRecipientHourMax: ['--mails-per-recipient-hour', '5', 5],
      mailsPerTenantHourMax: ['--mails-per-tenant-hour', '900', 900],
    } as const
    expect(Object.keys(flags)).toEqual(Object.keys(tenantSettings.shape))
    for (const [setting, [flag, text, value]] of Object.entries(flags)) {
      await json('tenant', 'edit', 'acme', flag, text)
      const { settings } = await getTenant(db.database.kysely, 'acme')
      expect(settings).toMatchObject({ [setting]: value })
    }
    expect(await json('tenant', 'edit', 'acme', '--contact-email', 'none', '--name', 'Acme')).toMatchObject({
      name: 'Acme',
      settings: { contactEmail: null, inviteIntervalMs: 86_400_000 },
    })
    const emptied = await json('tenant', 'edit', 'acme', '--reserved-handles', '')
    expect(emptied).toMatchObject({ settings: { reservedHandles: [], offensiveWords: ['blorb'] } })
    expect(await json('tenant', 'suspend', 'acme')).toMatchObject({ status: 'suspended' })
    expect(await json('tenant', 'resume', 'acme')).toMatchObject({ status: 'active' })
    expect(await json('tenant', 'list')).toMatchObject([{ slug: 'acme' }])
    expect((await ctl('tenant', 'list')).out).toMatch(/^SLUG +NAME/)
    const entries = (await json('audit')) as { action: string; actor: string; detail: object }[]
    expect(entries.slice(0, 3)).toMatchObject([
      { actor: 'ctl', action: 'tenant resume', detail: { slug: 'acme' } },
      { action: 'tenant suspend' },
      { action: 'tenant edit', detail: { slug: 'acme', settings: ['reservedHandles'] } },
    ])
    expect(entries.at(-1)).toMatchObject({ action: 'tenant create', detail: { slug: 'acme' } })
    const twice = await ctl('tenant', 'create', 'acme', '--name', 'Again')
    expect(twice).toMatchObject({ code: 1, err: 'ctl: tenant acme already exists\n' })
  })

  test('create, edit, suspend and list hosts', async () => {
    await json('tenant', 'create', 'school', '--name', 'School')
    const created = await json('host', 'create', 'pds.acme.com', '--tenant', 'acme')
    expect(created).toMatchObject({
      hostname: 'pds.acme.com',
      serviceDid: 'did:web:pds.acme.com',
      tenant: 'acme',
    })
    const edit = ['host', 'edit', 'pds.acme.com']
    expect(await json(...edit, '--tenant', 'school', '--kind', 'dedicated')).toMatchObject({
      tenant: 'school',
      kind: 'dedicated',
      publicUrl: 'https://pds.acme.com',
    })
    expect(await json(...edit, '--url', 'http://pds.acme.com')).toMatchObject({ kind: 'dedicated' })
    expect((await ctl(...edit, '--url', 'https://other.com')).code).toBe(1)
    expect(await json('host', 'suspend', 'pds.acme.com')).toMatchObject({ status: 'suspended' })
    expect(await json('host', 'resume', 'pds.acme.com')).toMatchObject({ status: 'active' })
    expect(await json('host', 'list')).toHaveLength(1)
    const limits = { 'global-ip': { points: 9, windowMs: 60_000 }, 'sign-in@a': null }
    expect(await json(...edit, '--rate-limits', 'global-ip=9/60,sign-in@a=off')).toMatchObject({
      rateLimits: limits,
    })
    expect(await json(...edit, '--kind', 'shared')).toMatchObject({ rateLimits: limits })
    expect(await json(...edit, '--rate-limits', '')).toMatchObject({ rateLimits: {} })
    expect((await ctl('host', 'list')).out).toContain('did:web:pds.acme.com')
  })

  test('add, list and remove domains; one in use only by force', async () => {
    await json('domain', 'add', '.acme.com', '--host', 'pds.acme.com', '--tenant', 'acme')
    await json('domain', 'add', '.school.com', '--host', 'pds.acme.com', '--tenant', 'school')
    expect(await json('domain', 'list', '--tenant', 'acme')).toEqual([
      { domain: '.acme.com', host: 'pds.acme.com', tenant: 'acme' },
    ])
    await db.pool.query(
      `insert into account (host_id, tenant_id, did, handle)
       select host_id, tenant_id, 'did:plc:a', 'alice.acme.com' from handle_domain where domain = '.acme.com'`,
    )
    expect(await ctl('domain', 'remove', '.acme.com')).toMatchObject({
      code: 1,
      err: 'ctl: 1 account(s) have their handle under .acme.com\n',
    })
    expect(await json('domain', 'remove', '.acme.com', '--force', '--dry-run')).toEqual({
      domain: '.acme.com',
      accounts: 1,
      removed: false,
    })
    await json('domain', 'remove', '.school.com')
    await json('domain', 'remove', '.acme.com', '--force')
    expect(await json('domain', 'list')).toEqual([])
    const log = (await json('audit', '--host', 'pds.acme.com')) as { action: string; detail: object }[]
    expect(log.slice(0, 3)).toMatchObject([
      { action: 'domain remove', detail: { domain: '.acme.com', accounts: 1 } },
      { action: 'domain remove', detail: { domain: '.school.com' } },
      { action: 'domain add', detail: { domain: '.school.com' } },
    ])
    expect(log.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['host create', 'host edit', 'host suspend', 'host resume']),
    )
    expect((await ctl('domain', 'remove', '.acme.com')).code).toBe(1)
  })
})

describe('ctl jobs and crawl', () => {
  test('crawl adds a job per host and relay, once', async () => {
    const asked = [{ hostname: 'pds.acme.com', relay: 'https://relay.example' }]
    expect(await json('crawl', '--dry-run')).toEqual(asked)
    expect(await listJobs(db.pool)).toEqual([])
    expect(await json('crawl')).toEqual(asked)
    expect(await json('crawl')).toEqual(asked)
    expect(await listJobs(db.pool)).toHaveLength(1)
    await db.pool.query('delete from job_outbox')
    await json('host', 'create', 'localhost:2583', '--tenant', 'acme')
    expect(await ctl('crawl', '--host', 'localhost:2583')).toMatchObject({ code: 1, out: '' })
  })

  test('list, retry and discard dead jobs', async () => {
    const add = () => addJob(db.pool, { queue: 'blob-gc', payload: { of: 'orphans' } })
    const [a, b, c] = [await add(), await add(), await add()]
    await db.pool.query(`update job_outbox set state = 'dead', error = 'no bucket' where id <> $1`, [c])
    expect(await json('jobs', 'list', '--state', 'dead', '--queue', 'blob-gc')).toMatchObject([
      { id: b, error: 'no bucket' },
      { id: a, error: 'no bucket' },
    ])
    expect(await json('jobs', 'list', '--before', String(b))).toMatchObject([{ id: a }])
    expect((await ctl('jobs', 'list')).out).toContain('no bucket')
    expect(await json('jobs', 'retry', String(a), String(c), '--dry-run')).toEqual({ wouldRetry: [a] })
    expect(await json('jobs', 'retry', String(a), String(c))).toEqual({ retried: [a] })
    expect(await json('jobs', 'retry', '--all', '--queue', 'mail')).toEqual({ retried: [] })
    expect(await json('jobs', 'discard', String(b), '--dry-run')).toEqual({ wouldDiscard: [b] })
    expect((await ctl('jobs', 'discard', String(c), '--yes')).code).toBe(1)
    expect((await ctl('jobs', 'discard', String(b))).code).toBe(2)
    await json('jobs', 'discard', String(b), '--yes')
    expect(await json('jobs', 'list', '--state', 'dead')).toEqual([])
  })
})

describe('ctl account and invite', () => {
  const at = ['--host', 'pds.people.com'] as const

  beforeAll(async () => {
    await json('tenant', 'create', 'people', '--name', 'People')
    await json('host', 'create', 'pds.people.com', '--tenant', 'people')
    await db.pool.query(
      `insert into account (host_id, tenant_id, did, handle, email)
       select id, default_tenant_id, 'did:plc:' || name, name || '.people.com', name || '@people.com'
       from host, unnest(array['ann', 'bob']) as name where hostname = 'pds.people.com'`,
    )
  })

  test('list and show accounts of a host', async () => {
    expect(await json('account', 'list', '--tenant', 'people')).toMatchObject([
      { did: 'did:plc:ann', host: 'pds.people.com', tenant: 'people', status: 'active' },
      { did: 'did:plc:bob' },
    ])
    expect(await json('account', 'list', ...at, '--status', 'suspended')).toEqual([])
    expect((await ctl('account', 'list', ...at)).out).not.toContain('@')
    expect(await json('account', 'list', '--email', 'ANN@')).toHaveLength(1)
    expect(await json('account', 'list', '--email', 'nn@')).toEqual([])
    expect(await json('account', 'show', 'Ann.People.com', ...at)).toMatchObject({ did: 'did:plc:ann' })
    expect((await ctl('account', 'show', 'did:plc:bob', ...at)).out).toContain('bob.people.com')
    const elsewhere = await ctl('account', 'show', 'did:plc:ann', '--host', 'pds.acme.com')
    expect(elsewhere).toMatchObject({ code: 1, out: '' })
  })

  test('suspend, take down and restore an account, each with its event', async () => {
    const events = async (): Promise<number> => {
      const { rows } = await db.pool.query<{ n: number }>('select count(*)::integer as n from event_queue')
      return rows[0]?.n ?? 0
    }
    const before = await events()
    await json('account', 'suspend', 'did:plc:ann', ...at, '--dry-run')
    expect(await events()).toBe(before)
    const suspended = await json('account', 'suspend', 'did:plc:ann', ...at, '--reason', 'unpaid')
    expect(suspended).toMatchObject({ status: 'suspended' })
    expect(await json('account', 'takedown', 'did:plc:ann', ...at, '--ref', 'case-1')).toMatchObject({
      status: 'takendown',
      takedown_ref: 'case-1',
    })
    expect(await json('account', 'restore', 'did:plc:ann', ...at)).toMatchObject({ status: 'suspended' })
    expect(await json('account', 'resume', 'did:plc:ann', ...at)).toMatchObject({ status: 'active' })
    expect(await events()).toBe(before + 4)
    const log = (await json('audit', ...at, '--did', 'did:plc:ann')) as { action: string; detail: object }[]
    expect(log.map(({ action }) => action)).toEqual([
      'account resume',
      'account restore',
      'account takedown',
      'account suspend',
    ])
    expect(log[2]).toMatchObject({ actor: 'ctl', did: 'did:plc:ann', detail: { ref: 'case-1' } })
    expect(log[3]).toMatchObject({ detail: { reason: 'unpaid' } })
    expect((await ctl('audit', ...at, '--limit', '1')).out).toMatch(/^AT +ID +DID/)
  })

  test('delete an account only when that is confirmed', async () => {
    const call = ['account', 'delete', 'did:plc:bob', ...at]
    expect((await ctl(...call)).code).toBe(2)
    expect(await json(...call, '--dry-run')).toMatchObject({ did: 'did:plc:bob' })
    expect(await json(...call, '--yes')).toEqual({ deleted: 'did:plc:bob' })
    expect((await ctl(...call, '--yes')).code).toBe(1)
    expect(await json('jobs', 'list', '--queue', 'account-deletion')).toMatchObject([
      { payload: { did: 'did:plc:bob' } },
    ])
  })

  test('create invite codes', async () => {
    const create = ['invite', 'create', ...at, '--tenant', 'people']
    const { codes } = (await json(...create, '--count', '2', '--uses', '5')) as { codes: string[] }
    expect(codes).toHaveLength(2)
    expect(codes[0]).toMatch(/^pds-people-com-/)
    const { rows } = await db.pool.query('select code from invite_code where available_uses = 5')
    expect(rows).toHaveLength(2)
    expect((await ctl(...create, '--count', '501')).code).toBe(2)
  })
})
