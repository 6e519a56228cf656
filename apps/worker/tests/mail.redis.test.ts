import { findAccountByDid } from '@rookery/accounts'
import { startMailCatcher } from '@rookery/local'
import { listDeliveries, requestPasswordReset, requestTokenMail } from '@rookery/mail'
import { must } from '@rookery/std'
import { createLogger } from '@rookery/telemetry'
import { HostDirectory, createHost, createTenant } from '@rookery/tenants'
import { listJobs } from '@rookery/jobs'
import { expect, test, vi } from 'vitest'

import { setUp } from './support.ts'

const patience = { timeout: 15_000, interval: 20 }

test('a mail that is asked for waits while the mail server is away, and is sent once', async () => {
  const first = await startMailCatcher()
  await first[Symbol.asyncDispose]()
  await using world = await setUp({ ROOKERY_MAIL_URL: first.smtpUrl })
  const { kysely } = world.db.database
  await createTenant(kysely, { slug: 'acme', name: 'Acme' })
  const host = await createHost(kysely, { hostname: 'localhost:2583', tenant: 'acme' })
  await world.db.pool.query(
    `insert into account (host_id, tenant_id, did, handle, email)
     values ($1, $2, 'did:plc:ann', 'ann.acme.test', 'ann@mail.test')`,
    [host.id, host.defaultTenantId],
  )
  const account = must(await findAccountByDid(world.db.pool, { hostId: host.id, did: 'did:plc:ann' }))
  await using directory = new HostDirectory(createLogger('test', 'silent'), kysely)
  for (let n = 0; n < 3; n++) {
    const wish = { template: 'delete-account', locale: undefined } as const
    await requestTokenMail({ tx: world.db.pool, directory }, account, wish)
  }
  const worker = await world.start()
  const waiting = () => listJobs(world.db.pool, { queue: 'mail' })
  await vi.waitFor(async () => {
    expect(await waiting()).toMatchObject([{ state: 'open', attempts: 1, error: expect.any(String) }])
    expect(await listDeliveries(world.db.pool, { limit: 10 })).toMatchObject([
      { state: 'retrying', attempts: 1, error: expect.stringContaining('ECONNREFUSED') },
    ])
  }, patience)

  await using catcher = await startMailCatcher({ smtpPort: Number(new URL(first.smtpUrl).port) })
  await world.db.pool.query('update job_outbox set run_at = now()')
  await vi.waitFor(async () => expect(await waiting()).toEqual([]), patience)
  const mails = (await (await fetch(catcher.mailUrl)).json()) as { to: unknown; text: string }[]
  expect(mails).toHaveLength(1)
  expect(JSON.stringify(mails[0]?.to)).toContain('ann@mail.test')
  expect(mails[0]?.text).toMatch(/[A-Z2-7]{5}-[A-Z2-7]{5}/)
  expect(await listDeliveries(world.db.pool, { limit: 10 })).toMatchObject([
    { state: 'sent', attempts: 2, error: null, recipient: 'ann@mail.test', message_id: expect.any(String) },
  ])
  const page = await (await fetch(`http://127.0.0.1:${worker.internalPort}/metrics`)).text()
  expect(page).toContain('rookery_mail_total{template="delete-account",state="sent"} 1')
  // The worker keeps its connection to the mail server, which waits for it to end.
  await worker[Symbol.asyncDispose]()
})

test('a new password that is asked for is mailed for to whoever has the address on the host', async () => {
  await using catcher = await startMailCatcher()
  await using world = await setUp({ ROOKERY_MAIL_URL: catcher.smtpUrl })
  const { kysely } = world.db.database
  await createTenant(kysely, { slug: 'acme', name: 'Acme' })
  const here = await createHost(kysely, { hostname: 'localhost:2583', tenant: 'acme' })
  const elsewhere = await createHost(kysely, { hostname: 'localhost:2584', tenant: 'acme' })
  await world.db.pool.query(
    `insert into account (host_id, tenant_id, did, handle, email)
     values ($1, $2, 'did:plc:bea', 'bea.acme.test', 'bea@mail.test')`,
    [here.id, here.defaultTenantId],
  )
  for (const { id: hostId } of [elsewhere, here]) {
    for (const email of ['nobody@mail.test', 'bea@mail.test']) {
      await requestPasswordReset(world.db.pool, { hostId, email, locale: 'de' })
    }
  }
  const worker = await world.start()
  await vi.waitFor(async () => expect(await listJobs(world.db.pool)).toEqual([]), patience)
  const mails = (await (await fetch(catcher.mailUrl)).json()) as { to: unknown; subject: string }[]
  expect(mails).toHaveLength(1)
  expect(JSON.stringify(mails[0]?.to)).toContain('bea@mail.test')
  expect(mails[0]?.subject).toMatch(/Passwort/)
  await worker[Symbol.asyncDispose]()
})
