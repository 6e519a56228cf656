import { secondMs } from '@rookery/std'
import type { Logger } from '@rookery/telemetry'
import { type Transporter, createTransport } from 'nodemailer'

/** How long the mail server may take to accept a connection, or to answer, in milliseconds. */
const smtpTimeoutMs = 15 * secondMs

/** A mail, ready to be sent. */
export type Mail = { to: string; subject: string; text: string; html: string }

export type MailerOptions = {
  log: Logger
  /** SMTP server, with user and password if it wants them; without one, mail is logged and dropped. */
  smtpUrl: string | undefined
  /** Sender, such as `Example <noreply@example.com>`. */
  from: string
}

/** Sends mail by SMTP over a few kept connections; disposing closes them. */
export class Mailer implements Disposable {
  readonly #options: MailerOptions
  readonly #transport: Transporter | undefined

  constructor(options: MailerOptions) {
    this.#options = options
    const timeouts = {
      connectionTimeout: smtpTimeoutMs,
      greetingTimeout: smtpTimeoutMs,
      socketTimeout: smtpTimeoutMs,
    }
    this.#transport =
      options.smtpUrl === undefined
        ? undefined
        : createTransport({ url: options.smtpUrl, pool: true, maxConnections: 4, ...timeouts })
  }

  /**
   * Hands the mail to the server. What the server or the network refuses is thrown as it is: the caller tries again.
   *
   * @param sender the name to show with our address, such as a tenant's.
   */
  async send(mail: Mail, sender: string): Promise<void> {
    const { log, from } = this.#options
    if (this.#transport === undefined) {
      log.warn({ subject: mail.subject }, 'mail is dropped: no SMTP server is configured')
      return
    }
    const address = /<([^>]+)>\s*$/.exec(from)?.[1] ?? from
    await this.#transport.sendMail({ ...mail, from: { name: sender, address } })
  }

  [Symbol.dispose](): void {
    this.#transport?.close()
  }
}
