import { type MailCatcher, startMailCatcher } from '@rookery/local'
import { createLogger } from '@rookery/telemetry'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Mailer } from './mailer.ts'
import { renderMail } from './templates.ts'

const log = createLogger('test', 'silent')
const context = { brand: 'Ærø & <Søn>', account: 'alice.example.com', token: 'ABCDE-23456' }
let catcher: MailCatcher

beforeAll(async () => {
  catcher = await startMailCatcher()
})
afterAll(() => catcher[Symbol.asyncDispose]())

describe('Mailer', () => {
  test('sends a template as text and HTML under the tenant’s name', async () => {
    using mailer = new Mailer({ log, smtpUrl: catcher.smtpUrl, from: 'Rookery <noreply@example.com>' })
    await mailer.send(renderMail('plc-operation', 'alice@mail.example', context), context.brand)
    const mails: unknown = await (await fetch(catcher.mailUrl)).json()
    expect(mails).toEqual([
      expect.objectContaining({
        to: ['alice@mail.example'],
        subject: 'Change the identity of your account',
        from: expect.stringContaining('noreply@example.com'),
        text: expect.stringContaining('ABCDE-23456'),
        html: expect.stringContaining('Ærø &amp; &lt;Søn&gt;'),
      }),
    ])
  })

  test('throws when the server is away, and drops mail without one', async () => {
    using away = new Mailer({ log, smtpUrl: 'smtp://127.0.0.1:1', from: 'noreply@example.com' })
    const mail = renderMail('delete-account', 'bob@mail.example', context)
    await expect(away.send(mail, 'brand')).rejects.toThrow('ECONNREFUSED')
    using none = new Mailer({ log, smtpUrl: undefined, from: 'noreply@example.com' })
    await none.send(mail, 'brand')
  })
})
