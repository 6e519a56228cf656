/** A mail server that delivers nothing: it keeps the last mails and shows them as JSON. */
import { once } from 'node:events'
import { createServer } from 'node:http'

import { type AddressObject, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

import { appendJsonLine, readJsonLines, replaceJsonLines } from './json-lines.ts'
import { freePort } from './ports.ts'

/** Mails kept; the oldest go first. */
const mailsMax = 2_000

/** Largest mail taken, in bytes. */
const mailBytesMax = 5 * 1024 * 1024

/** One caught mail. */
export type CaughtMail = {
  from: string
  /** Envelope recipients. */
  to: string[]
  subject: string
  text: string
  html: string
  /** When it was caught, ISO 8601. */
  date: string
}

/** A running mail catcher. */
export type MailCatcher = AsyncDisposable & {
  /** URL for SMTP, as the mail settings take it. */
  readonly smtpUrl: string
  /** GET answers all caught mail as a JSON array, oldest first; DELETE forgets it. */
  readonly mailUrl: string
}

/** Starts both servers on 127.0.0.1; ports default to free ones. With a `file`, caught mail survives a restart. */
export async function startMailCatcher(
  options: { smtpPort?: number; httpPort?: number; file?: string } = {},
): Promise<MailCatcher> {
  const { file } = options
  const mails = file === undefined ? [] : readJsonLines<CaughtMail>(file).slice(-mailsMax)
  if (file !== undefined) replaceJsonLines(file, mails)
  const smtp = smtpServer((mail) => {
    mails.push(mail)
    if (mails.length > mailsMax) mails.shift()
    if (file !== undefined) appendJsonLine(file, mail)
  })
  const http = createServer((request, response) => {
    if (request.method === 'DELETE') {
      mails.length = 0
      if (file !== undefined) replaceJsonLines(file, [])
    }
    const known = request.method === 'GET' || request.method === 'DELETE'
    response.writeHead(known ? 200 : 405, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify(known ? mails : { error: 'MethodNotAllowed' }))
  })
  const smtpPort = options.smtpPort ?? (await freePort())
  const listening = smtp.listen(smtpPort, '127.0.0.1')
  await once(listening, 'listening')
  const httpPort = options.httpPort ?? (await freePort())
  http.listen(httpPort, '127.0.0.1')
  await once(http, 'listening')
  return {
    smtpUrl: `smtp://127.0.0.1:${smtpPort}`,
    mailUrl: `http://127.0.0.1:${httpPort}/`,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      http.close()
      await new Promise<void>((resolve) => smtp.close(() => resolve()))
    },
  }
}

function smtpServer(keep: (mail: CaughtMail) => void): SMTPServer {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    size: mailBytesMax,
    disableReverseLookup: true,
    onAuth: (_auth, _session, done) => done(null, { user: 'anyone' }),
    onData: (stream, session, done) => {
      simpleParser(stream).then(
        (parsed) => {
          keep({
            from: addressText(parsed.from) || (session.envelope.mailFrom || { address: '' }).address,
            to: session.envelope.rcptTo.map((recipient) => recipient.address),
            subject: parsed.subject ?? '',
            text: parsed.text ?? '',
            html: parsed.html || '',
            date: new Date().toISOString(),
          })
          done()
        },
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
      )
    },
  })
  // NOTE: a client that drops its connection must not end the catcher.
  server.on('error', () => undefined)
  return server
}

function addressText(address: AddressObject | undefined): string {
  return address?.value[0]?.address ?? ''
}
