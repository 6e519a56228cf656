import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { type CaughtMail, type MailCatcher, startMailCatcher } from '@rookery/local'
import { createLogger } from '@rookery/telemetry'
import { SMTPServer } from 'smtp-server'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { InvalidMailSettingsError } from '../errors.ts'
import { mailFailureOf } from './mail-failure.ts'
import { Mailer } from './mailer.ts'

const log = createLogger('test', 'silent')
const from = 'Rookery <noreply@example.com>'
const mail = { to: 'alice@mail.example', subject: 'Subject', text: 'text', html: '<p>html</p>' }
const sender = { name: 'Tenant', address: null, replyTo: null }
let catcher: MailCatcher

beforeAll(async () => {
  catcher = await startMailCatcher()
})
afterAll(() => catcher[Symbol.asyncDispose]())
beforeEach(async () => {
  await fetch(catcher.mailUrl, { method: 'DELETE' })
})

async function caught(): Promise<CaughtMail[]> {
  return (await (await fetch(catcher.mailUrl)).json()) as CaughtMail[]
}

/** Starts a mail server that answers recipients and content with these replies. */
async function pickyServer(replies: { sender?: string; recipient?: string; content?: string }) {
  const refusal = (reply: string): Error =>
    Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) })
  const answer =
    (reply: string | undefined) =>
    (_address: unknown, _session: unknown, done: (error?: Error) => void): void =>
      reply === undefined ? done() : done(refusal(reply))
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onMailFrom: answer(replies.sender),
    onRcptTo: answer(replies.recipient),
    onData: (stream, _session, done) => {
      stream.resume().on('end', () => done(replies.content === undefined ? null : refusal(replies.content)))
    },
  })
  server.on('error', () => undefined)
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  return {
    url: `smtp://127.0.0.1:${(listening.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

describe('by SMTP', () => {
  test('mail goes out as text and HTML under the sender’s name and address, and has an id', async () => {
    using mailer = new Mailer({ log, url: catcher.smtpUrl, from })
    const id = await mailer.send(mail, sender)
    expect(id).toMatch(/^[^<>@]+@[^<>@]+$/)
    await mailer.send(mail, {
      name: 'Tenant',
      address: 'hello@tenant.example',
      replyTo: 'help@tenant.example',
    })
    expect(await caught()).toMatchObject([
      { from: 'noreply@example.com', to: ['alice@mail.example'], subject: 'Subject', html: '<p>html</p>' },
      { from: 'hello@tenant.example', text: expect.stringContaining('text') as string },
    ])
  })

  test('line breaks in names and subjects add no headers and no recipients', async () => {
    using mailer = new Mailer({ log, url: catcher.smtpUrl, from })
    const evil = 'x\r\nBcc: eve@mail.example\r\n\r\nbody'
    await mailer.send({ ...mail, subject: evil }, { ...sender, name: evil })
    expect(await caught()).toMatchObject([
      {
        to: ['alice@mail.example'],
        from: 'noreply@example.com',
        text: expect.stringMatching(/^text\s*$/) as string,
      },
    ])
  })

  test.each([
    ['an address that is none', { recipient: '550 5.1.1 no such mailbox' }, 'bad-address'],
    ['a full mailbox', { recipient: '552 5.2.2 mailbox full' }, 'permanent'],
    ['content', { content: '554 5.7.1 looks like spam' }, 'permanent'],
    ['a recipient for now', { recipient: '450 4.2.1 greylisted' }, 'temporary'],
    ['content for now', { content: '451 4.3.0 try later' }, 'temporary'],
    ['our sender, which an operator can set right', { sender: '550 5.7.1 not from you' }, 'temporary'],
  ])('a server that refuses %s is understood', async (_what, replies, failure) => {
    await using server = await pickyServer(replies)
    using mailer = new Mailer({ log, url: server.url, from })
    const error: unknown = await mailer.send(mail, sender).then(
      () => 'sent',
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(Error)
    expect(mailFailureOf(error)).toBe(failure)
  })

  test('a server that is away is a temporary failure', async () => {
    using mailer = new Mailer({ log, url: 'smtp://127.0.0.1:1', from })
    const error: unknown = await mailer.send(mail, sender).catch((thrown: unknown) => thrown)
    expect(String(error)).toContain('ECONNREFUSED')
    expect(mailFailureOf(error)).toBe('temporary')
  })
})

test('without a URL mail is dropped', async () => {
  using mailer = new Mailer({ log, url: undefined, from })
  expect(await mailer.send(mail, sender)).toBeUndefined()
})

test.each([
  ['smtp:///nowhere', from],
  ['http://mail.example', from],
  ['ses://', from],
  ['ses://not a region', from],
  ['ses://eu-central-1?regoin=x', from],
  ['ses://key@eu-central-1', from],
  ['smtp://mail.example', 'no address'],
])('the settings %s from %s are refused at start', (url, sentFrom) => {
  expect(() => new Mailer({ log, url, from: sentFrom })).toThrow(InvalidMailSettingsError)
})
