import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2'
import { type Transporter, createTransport } from 'nodemailer'

import { InvalidMailSettingsError } from '../errors.ts'
import { connectionsMax, sendTimeoutMs } from '../limits.ts'

/** A way to hand over mail. */
export type Transport = {
  transporter: Transporter
  /** Returns the id under which bounces speak of a mail that was taken. */
  messageIdOf: (info: { messageId?: string; response?: string }) => string | undefined
  /** Greets the mail server and signs in to it, as far as there is one. */
  verify: () => Promise<unknown>
  close: () => void
}

/**
 * Returns the transport of a URL: `smtp://` or `smtps://` with nodemailer's options in the query, or
 * `ses://[key:secret@]region[?endpoint=…&configurationSet=…]` for the API of Amazon SES; without a key it takes the
 * ambient credentials. Nothing connects before the first mail.
 *
 * @throws {InvalidMailSettingsError} if the URL lacks something or says something unknown.
 */
export function openTransport(url: string): Transport {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined) throw new InvalidMailSettingsError('the mail URL is no URL')
  return parsed.protocol === 'ses:' ? openSes(parsed) : openSmtp(parsed)
}

function openSmtp(url: URL): Transport {
  if (!/^smtps?:$/.test(url.protocol) || url.hostname === '') {
    throw new InvalidMailSettingsError('the mail URL must be smtp://host, smtps://host or ses://region')
  }
  const transporter = createTransport({
    url: url.href,
    pool: true,
    maxConnections: connectionsMax,
    connectionTimeout: sendTimeoutMs,
    greetingTimeout: sendTimeoutMs,
    socketTimeout: sendTimeoutMs,
  })
  return {
    transporter,
    messageIdOf: ({ messageId }) => messageId?.replaceAll(/[<>]/g, ''),
    verify: () => transporter.verify(),
    close: () => transporter.close(),
  }
}

function openSes(url: URL): Transport {
  const unknown = [...url.searchParams.keys()].find((key) => key !== 'endpoint' && key !== 'configurationSet')
  if (unknown !== undefined) throw new InvalidMailSettingsError(`a ses:// URL has no option ${unknown}`)
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(url.hostname)) {
    throw new InvalidMailSettingsError('a ses:// URL names a region, such as ses://eu-central-1')
  }
  if ((url.username === '') !== (url.password === '')) {
    throw new InvalidMailSettingsError('a ses:// URL has both a key and its secret, or neither')
  }
  const endpoint = url.searchParams.get('endpoint')
  const configurationSet = url.searchParams.get('configurationSet')
  const sesClient = new SESv2Client({
    region: url.hostname,
    // The job is what tries again: it waits longer, and others get their turn.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: sendTimeoutMs, requestTimeout: sendTimeoutMs },
    ...(endpoint === null ? {} : { endpoint }),
    ...(url.username === ''
      ? {}
      : {
          credentials: {
            accessKeyId: decodeURIComponent(url.username),
            secretAccessKey: decodeURIComponent(url.password),
          },
        }),
  })
  const ses = configurationSet === null ? {} : { ses: { ConfigurationSetName: configurationSet } }
  return {
    transporter: createTransport({ SES: { sesClient, SendEmailCommand } }, ses),
    messageIdOf: ({ response }) => response,
    verify: () => Promise.resolve(true),
    close: () => sesClient.destroy(),
  }
}
