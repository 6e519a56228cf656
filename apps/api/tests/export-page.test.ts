import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { buildExport, extractArchive, parseArchivedAccount } from '@rookery/archives'
import type { JobPayload } from '@rookery/jobs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { PageBrowser } from './page-browser.ts'
import { TestApi } from './test-api.ts'

let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

async function signedIn(name: string) {
  const owner = await api.signUp(name)
  const browser = new PageBrowser(api)
  await browser.signIn(owner.handle, `${name}-pass`, '/export')
  expect(browser.page.body).toContain('<h1>Export</h1>')
  return { owner, browser, url: `/export/archive?did=${encodeURIComponent(owner.did)}` }
}

/** Does what a worker does with the job that was added last. */
async function build(): Promise<void> {
  const { rows } = await api.db.pool.query<{ payload: JobPayload<'account-export'> }>(
    `delete from job_outbox where queue = 'account-export' returning payload`,
  )
  expect(rows).toHaveLength(1)
  const { db, blobs: store, exporter, log } = api.pods[0]!.deps
  const deps = {
    db,
    store,
    exporter,
    lifeMs: 60_000,
    placeOf: () => Promise.resolve({ host: 'one.test', tenant: 'one' }),
    announce: () => Promise.resolve(),
  }
  const nothing = (): Promise<void> => Promise.resolve()
  const signal = new AbortController().signal
  await buildExport(deps, { payload: rows[0]!.payload, attempt: 1, signal, log, complete: nothing })
}

async function archiveOf(bytes: Buffer) {
  const directory = mkdtempSync(join(tmpdir(), 'rookery-export-'))
  try {
    await extractArchive(Readable.from([bytes]), directory)
    return parseArchivedAccount(readFileSync(join(directory, 'account.json'), 'utf8'))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function auditOf(did: string): Promise<string[]> {
  const { rows } = await api.db.pool.query<{ action: string }>(
    `select action from audit_entry where did = $1 and action like 'account.export%' order by id`,
    [did],
  )
  return rows.map(({ action }) => action)
}

describe('the export page', () => {
  test('asks for an archive, shows how far it is, gives it to its owner, and deletes it', async () => {
    const { owner, browser, url } = await signedIn('ann')
    await browser.submit('/export/ask')
    expect(browser.page.body).toMatch(/role="status">Your archive is being made/)
    expect(browser.page.body).toContain('It waits for its turn.')
    expect(browser.page.headers['content-security-policy']).toContain(`connect-src 'self'`)
    expect((await browser.inject({ method: 'GET', url })).status).toBe(404)
    await build()
    expect((await browser.open('/export')).body).toContain('Your archive is ready')
    const whole = await browser.inject({ method: 'GET', url })
    expect(whole).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'application/x-tar',
        'content-disposition': 'attachment; filename="ann.one.test.tar"',
        'cache-control': 'no-store',
        'content-length': String(whole.bytes.length),
        'x-content-type-options': 'nosniff',
      },
    })
    const latest = await api.get('com.atproto.sync.getLatestCommit', { did: owner.did })
    expect(await archiveOf(whole.bytes)).toMatchObject({
      did: owner.did,
      email: 'ann@mail.test',
      tenant: 'one',
      repo: { head: latest.body.cid, rev: latest.body.rev },
    })
    await browser.submit('/export/delete')
    expect(browser.page.body).toContain('The archive is deleted.')
    expect((await browser.inject({ method: 'GET', url })).status).toBe(404)
    expect(await auditOf(owner.did)).toEqual([
      'account.export.ask',
      'account.export.download',
      'account.export.delete',
    ])
  })

  test('goes on with a download that broke off', async () => {
    const { browser, url } = await signedIn('bob')
    await browser.submit('/export/ask')
    await build()
    const whole = await browser.inject({ method: 'GET', url })
    const etag = String(whole.headers['etag'])
    const headers = { range: 'bytes=1000-', 'if-range': etag }
    const rest = await browser.inject({ method: 'GET', url, headers })
    expect(rest.status).toBe(206)
    expect(rest.headers['content-range']).toBe(`bytes 1000-${whole.bytes.length - 1}/${whole.bytes.length}`)
    expect(rest.bytes.equals(whole.bytes.subarray(1000))).toBe(true)
    const behind = await browser.inject({ method: 'GET', url, headers: { range: 'bytes=99999999-' } })
    expect(behind.status).toBe(416)
    const head = await browser.inject({ method: 'HEAD', url })
    expect([head.status, head.bytes.length, head.headers['content-length']]).toEqual([
      200,
      0,
      String(whole.bytes.length),
    ])
  })

  test('makes one at a time, and none while one is kept', async () => {
    const { browser } = await signedIn('cyd')
    const fields = browser.hiddenFields('/export/ask')
    const answers = await Promise.all([
      browser.post('/export/ask', fields),
      browser.post('/export/ask', fields),
    ])
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303, 400]))
    await build()
    const again = await browser.post('/export/ask', fields)
    expect([again.status, again.body]).toEqual([400, expect.stringContaining('There is an archive already')])
  })

  test('serves a deactivated account', async () => {
    const { owner, browser, url } = await signedIn('dee')
    await api.post('com.atproto.server.deactivateAccount', {}, { token: owner.accessJwt })
    await browser.submit('/export/ask')
    await build()
    const { bytes } = await browser.inject({ method: 'GET', url })
    expect(await archiveOf(bytes)).toMatchObject({ did: owner.did, status: 'deactivated' })
  })

  test('gives the archive to nobody else: no other account, no other host, nobody whose sign-in is old', async () => {
    const { owner, browser, url } = await signedIn('eve')
    await browser.submit('/export/ask')
    await build()
    const { browser: other } = await signedIn('mallory')
    for (const stranger of [other, new PageBrowser(api), new PageBrowser(api, 'two.test')]) {
      const answer = await stranger.inject({ method: 'GET', url })
      expect(answer).toMatchObject({
        status: 303,
        headers: { location: expect.stringMatching(/^\/sign-in\?/) },
      })
    }
    // The same cookies at the other host name nobody there.
    const moved = new PageBrowser(api, 'two.test')
    for (const [name, value] of browser.cookies) moved.cookies.set(name, value)
    expect((await moved.inject({ method: 'GET', url })).status).toBe(303)
    const own = `/export/archive?did=${encodeURIComponent((await api.signUp('bystander')).did)}`
    expect((await other.inject({ method: 'GET', url: own })).status).toBe(303)
    await api.db.pool.query(
      `update oauth_device_account set authenticated_at = now() - interval '16 minutes'
        where account_id = (select id from account where did = $1)`,
      [owner.did],
    )
    expect((await browser.inject({ method: 'GET', url })).headers['location']).toContain(
      '/sign-in?next=%2Fexport',
    )
    await browser.open('/export')
    await browser.submit('/export/delete')
    expect(browser.page.body).toContain('<h1>Sign in</h1>')
    expect(await auditOf(owner.did)).toEqual(['account.export.ask'])
  })
})

test('an account asks for a few archives a day', async () => {
  await using limited = await TestApi.start({ ROOKERY_LIMITS_RATE: 'on' })
  const { handle } = await limited.signUp('often')
  const browser = new PageBrowser(limited)
  await browser.signIn(handle, 'often-pass', '/export')
  for (let n = 0; n < 5; n++) {
    await browser.submit('/export/ask')
    await browser.submit('/export/delete')
  }
  const { status } = await browser.submit('/export/ask')
  expect(status).toBe(429)
})
