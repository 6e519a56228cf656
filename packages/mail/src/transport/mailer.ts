import { type Logger, metrics } from '@rookery/telemetry'

import { InvalidMailSettingsError } from '../errors.ts'
import { type Transport, openTransport } from './open-transport.ts'

/** A mail, ready to be sent. */
export type Mail = { to: string; subject: string; text: string; html: string }

/** In whose name a mail is sent. */
export type Sender = {
  /** The name to show with the address. */
  name: string
  /** Null for the mailer's own. */
  address: string | null
  /** Null if answers go to the address. */
  replyTo: string | null
}

export type MailerOptions = {
  log: Logger
  /** Mail server or API, as `openTransport` takes it; without one, mail is logged and dropped. */
  url: string | undefined
  /** Sender, such as `Example <noreply@example.com>`. */
  from: string
}

/** Sends mail over a few kept connections; disposing closes them. */
export class Mailer implements Disposable {
  readonly #log: Logger
  readonly #address: string
  readonly #transport: Transport | undefined

  /** @throws {InvalidMailSettingsError} if the URL or the sender can't be used. */
  constructor({ log, url, from }: MailerOptions) {
    const address = /<([^>]+)>\s*$/.exec(from)?.[1] ?? from
    if (!/^[^\s@<>]+@[^\s@<>]+$/.test(address)) {
      throw new InvalidMailSettingsError(`the sender of mail has no address: ${JSON.stringify(from)}`)
    }
    this.#log = log
    this.#address = address
    this.#transport = url === undefined ? undefined : openTransport(url)
  }

  /**
   * Hands the mail over. What the server or the network refuses is thrown as it is; see `mailFailureOf`.
   *
   * @returns the id under which bounces will speak of it, if there is one.
   */
  async send(mail: Mail, sender: Sender): Promise<string | undefined> {
    if (this.#transport === undefined) {
      this.#log.warn({ subject: mail.subject }, 'mail is dropped: no ROOKERY_MAIL_URL is configured')
      return undefined
    }
    const startMs = performance.now()
    let outcome = 'failed'
    try {
      const info: unknown = await this.#transport.transporter.sendMail({
        ...mail,
        from: { name: sender.name, address: sender.address ?? this.#address },
        ...(sender.replyTo === null ? {} : { replyTo: sender.replyTo }),
        // Nobody's holiday answer is to come back, and no list is to pass it on (RFC 3834, 5).
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      })
      outcome = 'ok'
      return this.#transport.messageIdOf(info as { messageId?: string; response?: string })
    } finally {
      const seconds = (performance.now() - startMs) / 1_000
      metrics.observe('rookery_outbound_seconds', { to: 'mail', outcome }, seconds)
    }
  }

  /** Returns if the mail server can be reached and takes the credentials; an API is not asked. */
  async verify(): Promise<void> {
    await this.#transport?.verify()
  }

  [Symbol.dispose](): void {
    this.#transport?.close()
  }
}
