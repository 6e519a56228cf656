import { createTransport } from 'nodemailer'
import { expect, test } from 'vitest'

import { type CaughtMail, startMailCatcher } from './index.ts'

test('caught mail is shown as JSON, oldest first, until it is forgotten', async () => {
  await using catcher = await startMailCatcher()
  const transport = createTransport(catcher.smtpUrl)
  for (const subject of ['first', 'second']) {
    await transport.sendMail({
      from: 'Demo <demo@example.test>',
      to: ['alice@example.test', 'bob@example.test'],
      subject,
      text: 'plain',
      html: '<p>rich</p>',
    })
  }
  transport.close()
  const mails = (await (await fetch(catcher.mailUrl)).json()) as CaughtMail[]
  expect(mails.map(({ subject }) => subject)).toEqual(['first', 'second'])
  expect(mails[0]).toMatchObject({
    from: 'demo@example.test',
    to: ['alice@example.test', 'bob@example.test'],
    text: expect.stringContaining('plain') as string,
    html: '<p>rich</p>',
    date: expect.stringMatching(/^\d{4}-/) as string,
  })
  await fetch(catcher.mailUrl, { method: 'DELETE' })
  expect(await (await fetch(catcher.mailUrl)).json()).toEqual([])
})
