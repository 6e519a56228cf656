import { createSafeFetch } from '@rookery/http'
import type { JobPayload } from '@rookery/jobs'
import { type FetchAccountDeps, fetchAccount } from '@rookery/moves'
import { noBlobRules, processTidClock, repoSigner } from '@rookery/records'
import { totpCode } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { PageBrowser } from './page-browser.ts'
import { TestApi } from './test-api.ts'

let api: TestApi
/** The old server: the third host, on a real port. */
let old: { host: string; origin: string }

beforeAll(async () => {
  api = await TestApi.start()
  const origin = await api.listen()
  old = { origin, host: new URL(origin).host }
})
afterAll(() => api[Symbol.asyncDispose]())

const preferences = [{ $type: 'app.bsky.actor.defs#adultContentPref', enabled: true }]

/** An account at the old server with a record, a blob and a preference. */
async function resident(name: string) {
  const at = { host: old.host }
  const owner = await api.signUp(name, { handle: `${name}.open.test` }, at)
  api.dns.set(`_atproto.${name}.open.test`, [`did=${owner.did}`])
  const as = { ...at, token: owner.accessJwt }
  const uploaded = await api.request(
    {
      method: 'POST',
      url: '/xrpc/com.atproto.repo.uploadBlob',
      payload: Buffer.from(`a picture of ${name}`),
    },
    { ...as, headers: { 'content-type': 'text/plain' } },
  )
  const record = { $type: 'com.example.note', picture: uploaded.body.blob }
  const write = { repo: owner.did, collection: 'com.example.note', rkey: 'one', record, validate: false }
  const written = await api.post('com.atproto.repo.createRecord', write, as)
  expect(written.status).toBe(200)
  await api.post('app.bsky.actor.putPreferences', { preferences }, as)
  return { ...owner, name, blob: uploaded.body.blob.ref.$link as string, cid: written.body.cid as string }
}

const newAccount = (name: string) => ({
  oldPassword: `${name}-pass`,
  oldCode: '',
  handle: `${name}.one.test`,
  email: `${name}@mail.test`,
  password: 'brand-new-pass',
})

/** Does what a worker does with the job that was added last. */
async function fetchAll(change: Partial<FetchAccountDeps> = {}, attempt = 1): Promise<void> {
  const { rows } = await api.db.pool.query<{ payload: JobPayload<'account-move'> }>(
    `delete from job_outbox where queue = 'account-move' returning payload`,
  )
  expect(rows).toHaveLength(1)
  const { db, blobs: store, wrapper, signingKeys, log } = api.pods[0]!.deps
  const fetch = createSafeFetch({ allowPrivateNetwork: true })
  const deps: FetchAccountDeps = {
    db,
    store,
    wrapper,
    fetch,
    transfer: fetch,
    imports: {
      pool: db.pool,
      store,
      clock: processTidClock(),
      signerFor: repoSigner(signingKeys),
      bytesMax: 10_000_000,
      onStored: () => {},
    },
    rulesOf: () => Promise.resolve({ bytesMax: 1_000_000, rules: noBlobRules }),
    ...change,
  }
  const { signal } = new AbortController()
  await fetchAccount(deps, { payload: rows[0]!.payload, attempt, signal, log })
}

async function begin(browser: PageBrowser, name: string, fields = {}) {
  await browser.open('/migrate')
  await browser.submit('/migrate/find', { name: `@${name}.open.test` })
  expect(browser.page.body).toContain(`<strong>${old.host}</strong>`)
  return browser.submit('/migrate/begin', { ...newAccount(name), ...fields })
}

/** Every place where something secret would lie if it were stored in clear. */
async function storedTexts(): Promise<string> {
  const { rows } = await api.db.pool.query<{ text: string }>(
    `select string_agg(m::text, '') as text from account_move m
     union all select string_agg(j::text, '') from job_outbox j union all select string_agg(e::text, '') from audit_entry e`,
  )
  return rows.map(({ text }) => text ?? '').join('')
}

describe('moving an account here on a page', () => {
  test('takes everything along, points the DID here and deactivates the old account', async () => {
    const mover = await resident('nora')
    const browser = new PageBrowser(api)
    await begin(browser, 'nora')
    expect(browser.page.body).toContain('Your account is being fetched')
    expect(browser.page.headers['content-security-policy']).toContain(`connect-src 'self'`)
    const { rows: moves } = await api.db.pool.query<{ wrapped: Buffer }>('select wrapped from account_move')
    expect(moves[0]!.wrapped.includes('eyJ')).toBe(false)
    expect(await storedTexts()).not.toContain('nora-pass')
    await fetchAll()
    await browser.open('/migrate/here')
    expect(browser.page.body).toContain('Everything is here')
    expect(browser.page.body).toContain('1 pictures and other files fetched')

    await browser.submit('/migrate/here/finish', { code: '' })
    expect(browser.page).toMatchObject({ status: 400, body: expect.stringContaining('Enter the code') })
    await browser.submit('/migrate/here/code')
    await browser.submit('/migrate/here/finish', { code: 'AAAAA-AAAAA' })
    expect(browser.page).toMatchObject({
      status: 400,
      body: expect.stringContaining('The old server says: '),
    })
    await browser.submit('/migrate/here/finish', { code: await api.mailedToken('nora@mail.test') })
    expect(browser.page.body).toContain('Your account lives here now.')

    const { did } = mover
    const { services, alsoKnownAs } = await api.pods[0]!.deps.plc.data(did)
    expect([services['atproto_pds']?.endpoint, alsoKnownAs]).toEqual([
      'https://one.test',
      ['at://nora.one.test'],
    ])
    expect((await api.get('com.atproto.sync.getRepoStatus', { did })).body.active).toBe(true)
    const there = await api.get('com.atproto.sync.getRepoStatus', { did }, { host: old.host })
    expect(there.body).toMatchObject({ active: false, status: 'deactivated' })
    const record = { repo: did, collection: 'com.example.note', rkey: 'one' }
    expect((await api.get('com.atproto.repo.getRecord', record)).body.cid).toBe(mover.cid)
    const blob = await api.get('com.atproto.sync.getBlob', { did, cid: mover.blob })
    expect([blob.status, blob.body]).toEqual([200, 'a picture of nora'])
    const login = { identifier: 'nora.one.test', password: 'brand-new-pass' }
    const { accessJwt: token } = (await api.post('com.atproto.server.createSession', login)).body
    expect((await api.get('app.bsky.actor.getPreferences', {}, { token })).body.preferences).toEqual(
      preferences,
    )
    const { rows } = await api.db.pool.query('select 1 from account_move')
    expect(rows).toEqual([])
  })

  test('wants the password there, and the code if that server does, and says so', async () => {
    const mover = await resident('otto')
    const secret = Buffer.from('12345678901234567890')
    const { wrapper } = api.pods[0]!.deps
    await api.db.pool.query(
      `insert into totp (account_id, wrapped, confirmed_at)
       select id, $2, now() from account where did = $1`,
      [mover.did, wrapper.wrap(secret, `totp ${mover.did}`)],
    )
    const browser = new PageBrowser(api)
    await begin(browser, 'otto', { oldPassword: 'wrong-pass' })
    expect(browser.page.body).toContain('The old server says: Invalid identifier or password')
    expect(browser.page.body).not.toContain('wrong-pass')
    await browser.submit('/migrate/begin', newAccount('otto'))
    expect(browser.page).toMatchObject({ status: 400, body: expect.stringContaining('Enter both.') })
    await browser.submit('/migrate/begin', { ...newAccount('otto'), oldCode: totpCode(secret, Date.now()) })
    expect(browser.page.body).toContain('Your account is being fetched')
    await api.db.pool.query(`delete from job_outbox where queue = 'account-move'`)
  })

  test('holds the rules of the tenant', async () => {
    await resident('petra')
    const browser = new PageBrowser(api)
    for (const [fields, said] of [
      [{ handle: 'petra.club.test' }, 'No invite code provided'],
      [{ handle: 'petra.two.test' }, 'Not a supported handle domain'],
      [{ password: 'x' }, 'assword'],
    ] as const) {
      await begin(browser, 'petra', fields)
      expect(browser.page).toMatchObject({ status: 400, body: expect.stringContaining(said) })
    }
    await api.set('one', { signUpClosed: true })
    await begin(browser, 'petra')
    expect(browser.page.body).toContain('Nobody can sign up here')
    await api.set('one', { signUpClosed: false, emailDomains: ['uni.test'] })
    await begin(browser, 'petra')
    expect(browser.page.body).toContain('The e-mail address must be one of uni.test')
    await api.set('one', { emailDomains: [] })
  })

  test('goes on after a failure, with the password once more', async () => {
    const mover = await resident('quinn')
    const browser = new PageBrowser(api)
    await begin(browser, 'quinn')
    const away = () => Promise.reject(new Error('away'))
    await expect(fetchAll({ transfer: away })).rejects.toThrow('The old server cannot be reached')
    await browser.open('/migrate/here')
    expect(browser.page.body).toContain('Your account is being fetched')
    await api.db.pool.query(
      `insert into job_outbox (queue, payload) select 'account-move',
         json_build_object('hostId', host_id, 'tenantId', tenant_id, 'accountId', id)
         from account where did = $1 and deactivated_at is not null`,
      [mover.did],
    )
    await expect(fetchAll({ transfer: away }, 8)).rejects.toThrow('The old server cannot be reached')
    await browser.open('/migrate/here')
    expect(browser.page.body).toContain('Your account could not be fetched')
    await browser.submit('/migrate/here/again', { oldPassword: 'quinn-pass' })
    await fetchAll()
    await browser.open('/migrate/here')
    expect(browser.page.body).toContain('Everything is here')
    // The owner begins anew: the account is there, and says so.
    await begin(new PageBrowser(api), 'quinn').then(({ body }) =>
      expect(body).toContain('The host already has an account of this DID'),
    )
  })

  test('finds nobody, and nobody who is here, and takes no form from elsewhere', async () => {
    const here = await api.signUp('rosa')
    const browser = new PageBrowser(api)
    for (const [name, said] of [
      ['nobody.open.test', 'Nobody has this handle'],
      [here.did, 'This account is here already: sign in'],
      ['not a handle', 'andle'],
    ] as const) {
      await browser.open('/migrate')
      await browser.submit('/migrate/find', { name })
      expect(browser.page).toMatchObject({ status: 400, body: expect.stringContaining(said) })
    }
    const fields = { ...browser.hiddenFields('/migrate/find'), name: here.did }
    for (const url of ['/migrate/find', '/migrate/begin', '/migrate/here/finish']) {
      for (const origin of ['https://evil.test', 'null']) {
        expect((await browser.post(url, fields, { origin })).status).toBe(403)
      }
      expect((await new PageBrowser(api).post(url, fields)).status).toBe(403)
    }
    expect((await new PageBrowser(api).open('/migrate/here')).body).toContain('<h1>Sign in</h1>')
  })

  test('is nobody’s who does not know the password there', async () => {
    const victim = await resident('vera')
    await resident('zed')
    const browser = new PageBrowser(api)
    await begin(browser, 'vera', { oldPassword: 'zed-pass' })
    expect(browser.page.status).toBe(400)
    const { rows } = await api.db.pool.query(
      `select 1 from account where did = $1 and handle like '%.one.test'`,
      [victim.did],
    )
    expect(rows).toEqual([])
  })

  test('reaches no server inside of the network, whatever a DID names', async () => {
    await using outside = await TestApi.start({ ROOKERY_DEV_ALLOW_PRIVATE_NETWORK: 'false' })
    const { plc, signingKeys } = outside.pods[0]!.deps
    const signingKey = signingKeys.create().signer.didKey
    const { did, register } = await plc.mint({ handle: 'wolf.example.com', signingKey, pdsUrl: old.origin })
    await register()
    const browser = new PageBrowser(outside)
    await browser.open('/migrate')
    await browser.submit('/migrate/find', { name: did })
    await browser.submit('/migrate/begin', newAccount('wolf'))
    expect(browser.page).toMatchObject({
      status: 400,
      body: expect.stringContaining('The old server cannot be reached'),
    })
  })
})
