import { type Account, findAccountById } from '@rookery/accounts'
import { type JobPayload, JobRefusedError, listJobs, queues } from '@rookery/jobs'
import { must } from '@rookery/std'
import { metrics } from '@rookery/telemetry'
import { type Host, createHost, createTenant, getTenant, updateTenant } from '@rookery/tenants'
import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { DeliveryNotFoundError, InvalidMessageError, MailLimitError } from '../errors.ts'
import { limitWindowMs, messageBytesMax } from '../limits.ts'
import { requestMessage, requestNotice, requestTokenMail } from '../requests/request-mail.ts'
import type { Mail, Sender } from '../transport/mailer.ts'
import { deliverMail } from './deliver-mail.ts'
import type { DeliveryRow } from './delivery-queries.ts'
import { dropOldDeliveries, listDeliveries, listSuppressed, recordBounce, unsuppress } from './operator.ts'

let db: TestDatabase
let host: Host
let count = 0

beforeAll(async () => {
  db = await createTestDatabase()
  await createTenant(db.database.kysely, { slug: 'acme', name: 'Acme', settings: { defaultLocale: 'fr' } })
  host = await createHost(db.database.kysely, { hostname: 'pds.test', tenant: 'acme' })
})
afterAll(() => db[Symbol.asyncDispose]())

const directory = { findTenant: () => getTenant(db.database.kysely, 'acme') }
const deps = () => ({ tx: db.pool, directory })
const confirm = { template: 'confirm-email', locale: undefined } as const

async function newAccount(): Promise<Account & { email: string }> {
  count += 1
  const { rows } = await db.pool.query<{ id: number }>(
    `insert into account (host_id, tenant_id, did, handle, email)
     values ($1, $2, $3, $4, $5) returning id`,
    [host.id, host.defaultTenantId, `did:plc:a${count}`, `a${count}.test`, `a${count}@mail.test`],
  )
  const account = must(await findAccountById(db.pool, rows[0]!.id))
  return { ...account, email: must(account.email) }
}

/** Does every mail job by this way of sending; what was sent, in whose name, and what was thrown. */
async function work(send: (mail: Mail) => Promise<string> = () => Promise.resolve('id-1'), attempt = 1) {
  const sent: { mail: Mail; sender: Sender }[] = []
  const thrown: unknown[] = []
  const mailer = {
    send: (mail: Mail, sender: Sender) => {
      sent.push({ mail, sender })
      return send(mail)
    },
  }
  const { rows } = await db.pool.query<{ id: number; payload: JobPayload<'mail'> }>(
    `delete from job_outbox where queue = 'mail' returning id, payload`,
  )
  for (const job of rows) {
    const worker = { db: db.database, directory, mailer, moderationFrom: 'mods@provider.test' }
    await deliverMail(worker, { ...job, attempt }).catch((error: unknown) => thrown.push(error))
  }
  return { sent, thrown }
}

async function deliveriesTo(recipient: string): Promise<DeliveryRow[]> {
  return listDeliveries(db.pool, { recipient, limit: 100 })
}

function refusal(response: string): () => Promise<string> {
  const responseCode = Number(response.slice(0, 3))
  return () =>
    Promise.reject(Object.assign(new Error(response), { responseCode, response, command: 'RCPT TO' }))
}

describe('a mail that is asked for', () => {
  test('is one however often it is asked for before it is sent, and is noted', async () => {
    const account = await newAccount()
    for (let n = 0; n < 20; n++) await requestTokenMail(deps(), account, confirm)
    expect(await deliveriesTo(account.email)).toMatchObject([{ state: 'queued', account_id: account.id }])
    const { sent } = await work()
    expect(sent.map(({ mail }) => mail.to)).toEqual([account.email])
    expect(await deliveriesTo(account.email)).toMatchObject([
      { state: 'sent', template: 'confirm-email', message_id: 'id-1', attempts: 1, error: null },
    ])
  })

  test('is in the language that was asked for, or else the tenant’s', async () => {
    const account = await newAccount()
    await requestTokenMail(deps(), account, { template: 'reset-password', locale: 'de' })
    await requestTokenMail(deps(), account, { template: 'delete-account', locale: undefined })
    const { sent } = await work()
    expect(sent.map(({ mail }) => mail.subject).toSorted()).toEqual([
      'Passwort zurücksetzen',
      'Supprimer votre compte',
    ])
  })

  test('is not sent to an account that has another address by now', async () => {
    const account = await newAccount()
    await requestTokenMail(deps(), account, confirm)
    await db.pool.query('update account set email = $2 where id = $1', [account.id, 'moved@mail.test'])
    expect((await work()).sent).toEqual([])
    expect(await deliveriesTo(account.email)).toMatchObject([{ state: 'dropped' }])
  })

  test('does not exist if its transaction rolls back', async () => {
    const account = await newAccount()
    const client = await db.pool.connect()
    await client.query('begin')
    await requestNotice({ tx: client, directory }, account, { template: 'password-changed', locale: 'en' })
    await client.query('rollback')
    client.release()
    expect(await deliveriesTo(account.email)).toEqual([])
    expect((await work()).sent).toEqual([])
  })

  test('tells an account that is gone by now what happened to it', async () => {
    const account = await newAccount()
    await requestNotice(deps(), account, { template: 'account-deleted', locale: 'en' })
    await db.pool.query('delete from account where id = $1', [account.id])
    const { sent } = await work()
    expect(sent[0]?.mail.text).toContain(`The account ${account.handle} at Acme was deleted`)
  })
})

describe('a mail that is not taken', () => {
  test('for now is tried again, and given up after the last attempt', async () => {
    const account = await newAccount()
    await requestTokenMail(deps(), account, confirm)
    const away = () => Promise.reject(new Error('ECONNREFUSED'))
    const { rows } = await db.pool.query(`select id, payload from job_outbox where queue = 'mail'`)
    expect((await work(away)).thrown).toEqual([expect.objectContaining({ message: 'ECONNREFUSED' })])
    expect(await deliveriesTo(account.email)).toMatchObject([{ state: 'retrying', error: 'ECONNREFUSED' }])
    await db.pool.query(`insert into job_outbox (id, queue, payload) values ($1, 'mail', $2)`, [
      rows[0].id,
      JSON.stringify(rows[0].payload),
    ])
    await work(away, queues.mail.attemptsMax)
    expect(await deliveriesTo(account.email)).toMatchObject([
      { state: 'failed', attempts: queues.mail.attemptsMax },
    ])
  })

  test('for good is not tried again; its address is not blamed for that', async () => {
    const account = await newAccount()
    await requestTokenMail(deps(), account, confirm)
    const { thrown } = await work(refusal('554 5.7.1 spam'))
    expect(thrown).toEqual([expect.any(JobRefusedError)])
    expect(await deliveriesTo(account.email)).toMatchObject([{ state: 'failed', error: '554 5.7.1 spam' }])
    await requestTokenMail(deps(), account, confirm)
    expect((await work()).sent).toHaveLength(1)
  })

  test('because there is no such address suppresses that until an operator says otherwise', async () => {
    const account = await newAccount()
    await requestTokenMail(deps(), account, confirm)
    await work(refusal('550 5.1.1 nobody here'))
    await requestTokenMail(deps(), account, confirm)
    expect((await work()).sent).toEqual([])
    expect((await deliveriesTo(account.email)).map(({ state }) => state)).toEqual(['suppressed', 'failed'])
    expect(await listSuppressed(db.pool, host.defaultTenantId)).toMatchObject([
      { recipient: account.email, reason: 'bounce', detail: '550 5.1.1 nobody here' },
    ])
    expect(await unsuppress(db.pool, host.defaultTenantId, account.email.toUpperCase())).toBe(true)
    expect(await unsuppress(db.pool, host.defaultTenantId, account.email)).toBe(false)
    await requestTokenMail(deps(), account, confirm)
    expect((await work()).sent).toHaveLength(1)
  })
})

describe('a mail that comes back', () => {
  const here = () => ({ hostId: host.id, tenantIds: undefined })
  const bounce = (recipient: string, change: object = {}) =>
    recordBounce({ db: db.database }, here(), { recipient, kind: 'hard', ...change })

  test('hard, or is called unwanted, suppresses its address; soft does not', async () => {
    for (const [kind, state, suppressed] of [
      ['soft', 'bounced', false],
      ['hard', 'bounced', true],
      ['complaint', 'complained', true],
    ] as const) {
      const account = await newAccount()
      await requestTokenMail(deps(), account, confirm)
      await work()
      const told = { kind, messageId: '<id-1>', detail: 'why' }
      expect(await bounce(` ${account.email.toUpperCase()}`, told)).toEqual({ suppressed })
      expect(await bounce(account.email, told)).toEqual({ suppressed })
      expect(await deliveriesTo(account.email)).toMatchObject([{ state, error: 'why' }])
      await requestTokenMail(deps(), account, confirm)
      expect((await work()).sent).toHaveLength(suppressed ? 0 : 1)
    }
  })

  test('but was never sent, or not by this host, changes nothing', async () => {
    const account = await newAccount()
    await requestTokenMail(deps(), account, confirm)
    await expect(bounce(account.email)).rejects.toThrow(DeliveryNotFoundError)
    await work()
    await expect(bounce(account.email, { messageId: 'id-2' })).rejects.toThrow(DeliveryNotFoundError)
    const told = { recipient: account.email, kind: 'hard' } as const
    const elsewhere = recordBounce({ db: db.database }, { ...here(), hostId: host.id + 1 }, told)
    await expect(elsewhere).rejects.toThrow(DeliveryNotFoundError)
    const others = recordBounce(
      { db: db.database },
      { ...here(), tenantIds: [host.defaultTenantId + 1] },
      told,
    )
    await expect(others).rejects.toThrow(DeliveryNotFoundError)
    expect(await deliveriesTo(account.email)).toMatchObject([{ state: 'sent' }])
  })
})

describe('limits', () => {
  async function withLimits(settings: object, run: () => Promise<void>): Promise<void> {
    const { settings: before } = await directory.findTenant()
    await updateTenant(db.database.kysely, 'acme', { settings })
    try {
      await run()
    } finally {
      await updateTenant(db.database.kysely, 'acme', { settings: before })
    }
  }

  test('of an address hold for an hour, are told to who asks, and noted once', async () => {
    await withLimits({ mailsPerRecipientHourMax: 2 }, async () => {
      const [account, other] = [await newAccount(), await newAccount()]
      for (const template of ['confirm-email', 'update-email'] as const) {
        await requestTokenMail(deps(), account, { template, locale: undefined })
      }
      const again = () => requestTokenMail(deps(), account, { template: 'delete-account', locale: undefined })
      await expect(again()).rejects.toThrow(MailLimitError)
      await expect(again()).rejects.toThrow(MailLimitError)
      expect((await deliveriesTo(account.email)).map(({ state }) => state)).toEqual([
        'limited',
        'queued',
        'queued',
      ])
      await requestTokenMail(deps(), other, confirm)
      await db.pool.query(
        `update mail_delivery set created_at = created_at - $2::integer * interval '1 millisecond' where recipient = $1`,
        [account.email, limitWindowMs],
      )
      await again()
      await work()
    })
  })

  test('do not stop what a notice is about', async () => {
    await withLimits({ mailsPerRecipientHourMax: 1 }, async () => {
      const account = await newAccount()
      for (let n = 0; n < 3; n++) {
        await requestNotice(deps(), account, { template: 'password-changed', locale: 'en' })
      }
      expect((await deliveriesTo(account.email)).map(({ state }) => state)).toEqual(['limited', 'queued'])
      expect((await work()).sent).toHaveLength(1)
    })
  })

  test('of a tenant hold for all of its addresses', async () => {
    await db.pool.query(`update mail_delivery set created_at = created_at - interval '1 hour'`)
    await withLimits({ mailsPerTenantHourMax: 1 }, async () => {
      await requestTokenMail(deps(), await newAccount(), confirm)
      const last = await newAccount()
      await expect(requestTokenMail(deps(), last, confirm)).rejects.toThrow(MailLimitError)
      await work()
    })
  })
})

describe('a moderator’s message', () => {
  test('comes from the moderators’ address and is noted with who wrote it', async () => {
    const account = await newAccount()
    const message = { subject: 'About you', body: '<p>Hello <i>you</i></p>', sender: 'did:plc:mod' }
    await requestMessage(deps(), account, message)
    const { sent } = await work()
    expect(sent).toMatchObject([
      {
        mail: { subject: 'About you', text: expect.stringContaining('Hello you') },
        sender: { address: 'mods@provider.test' },
      },
    ])
    expect(await deliveriesTo(account.email)).toMatchObject([
      { template: 'message', sender: 'did:plc:mod', state: 'sent' },
    ])
  })

  test('that is empty or too long is refused; the longest fits into its job', async () => {
    const account = await newAccount()
    const send = (body: string) =>
      requestMessage(deps(), account, { subject: undefined, body, sender: 'did:plc:mod' })
    await expect(send(' \n')).rejects.toThrow(InvalidMessageError)
    await expect(send('x'.repeat(messageBytesMax + 1))).rejects.toThrow(InvalidMessageError)
    await send('"'.repeat(messageBytesMax).slice(0, messageBytesMax / 2))
    await send('é'.repeat(messageBytesMax / 2))
    expect((await work()).sent).toHaveLength(2)
  })
})

test('the sender is the tenant’s, if it has one', async () => {
  const mail = { mailFrom: 'hello@acme.test', mailFromName: 'Acme Mail', mailReplyTo: 'help@acme.test' }
  await updateTenant(db.database.kysely, 'acme', { settings: mail })
  const account = await newAccount()
  await requestTokenMail(deps(), account, confirm)
  const { sent } = await work()
  expect(sent[0]?.sender).toEqual({
    name: 'Acme Mail',
    address: 'hello@acme.test',
    replyTo: 'help@acme.test',
  })
})

test('what became of mails is forgotten after its time, and outcomes are counted', async () => {
  const account = await newAccount()
  await requestTokenMail(deps(), account, confirm)
  await work()
  await db.pool.query(
    `update mail_delivery set created_at = now() - interval '31 days' where recipient = $1`,
    [account.email],
  )
  expect(await dropOldDeliveries(db.pool)).toBe(1)
  expect(await deliveriesTo(account.email)).toEqual([])
  expect(await metrics.page()).toMatch(/rookery_mail_total\{template="confirm-email",state="sent"\} \d+/)
  expect(await listJobs(db.pool, { queue: 'mail' })).toEqual([])
})
