import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { createHost, createTenant } from '@rookery/tenants'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { runCtl } from '../src/app.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
  await createTenant(db.database.kysely, { slug: 'acme', name: 'Acme <b>' })
  await createTenant(db.database.kysely, { slug: 'other', name: 'Other' })
  const host = await createHost(db.database.kysely, { hostname: 'pds.acme.test', tenant: 'acme' })
  const { rows } = await db.pool.query<{ id: number }>(
    `insert into job_outbox (queue, payload, state, finished_at) values ('mail', '{}', 'dead', now()) returning id`,
  )
  await db.pool.query(
    `insert into mail_delivery (host_id, tenant_id, job_id, template, recipient, state, error)
     values ($1, $2, $3, 'reset-password', 'ann@mail.test', 'failed', '554 no'),
       ($1, $2, null, 'reset-password', 'bob@mail.test', 'sent', null)`,
    [host.id, host.defaultTenantId, rows[0]!.id],
  )
  await db.pool.query(
    `insert into mail_suppression (tenant_id, recipient, reason) values ($1, 'eve@mail.test', 'bounce')`,
    [host.defaultTenantId],
  )
})
afterAll(() => db[Symbol.asyncDispose]())

async function ctl(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const env = { ROOKERY_DATABASE_URL: db.url, ROOKERY_REDIS_URL: 'redis://127.0.0.1:1' }
  const code = await runCtl(['mail', ...argv], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env,
  })
  return { code, out, err }
}

async function json(...argv: string[]): Promise<any> {
  const { out, err } = await ctl(...argv, '--json')
  expect(err).toBe('')
  return JSON.parse(out)
}

test('list finds mails by state, address, tenant and host', async () => {
  expect(await json('list')).toMatchObject([{ recipient: 'bob@mail.test' }, { recipient: 'ann@mail.test' }])
  expect(await json('list', '--state', 'failed')).toMatchObject([
    { recipient: 'ann@mail.test', tenant: 'acme', host: 'pds.acme.test', error: '554 no' },
  ])
  expect(await json('list', '--to', 'BOB@mail.test', '--host', 'pds.acme.test')).toHaveLength(1)
  expect(await json('list', '--tenant', 'other')).toEqual([])
  expect((await ctl('list', '--state', 'lost')).code).toBe(2)
})

test('retry opens the jobs of failed mails alone', async () => {
  const deliveries: { id: number }[] = await json('list')
  const all = deliveries.map(({ id }) => String(id))
  expect(await json('retry', ...all)).toEqual({ retried: [Number(all[1])] })
  expect(await json('list', '--state', 'queued')).toMatchObject([{ recipient: 'ann@mail.test' }])
  const { rows } = await db.pool.query('select state from job_outbox')
  expect(rows).toEqual([{ state: 'open' }])
  expect(await json('retry', ...all)).toEqual({ retried: [] })
})

test('unsuppress ends what suppressed shows, for that tenant alone', async () => {
  expect(await json('suppressed')).toMatchObject([
    { recipient: 'eve@mail.test', tenant: 'acme', reason: 'bounce' },
  ])
  expect((await ctl('unsuppress', 'eve@mail.test', '--tenant', 'other')).code).toBe(2)
  await json('unsuppress', 'Eve@mail.test', '--tenant', 'acme')
  expect(await json('suppressed', '--tenant', 'acme')).toEqual([])
})

test('preview prints a mail in the tenant’s brand', async () => {
  const html = (await ctl('preview', 'reset-password', '--tenant', 'acme', '--locale', 'ja')).out
  expect(html).toContain('<html lang="ja"')
  expect(html).toContain('Acme &lt;b&gt;')
  const text = (await ctl('preview', 'reset-password', '--tenant', 'acme', '--text')).out
  expect(text).toContain('— Acme <b>')
})
