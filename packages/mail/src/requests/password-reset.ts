import { findAccountByEmail } from '@rookery/accounts'
import type { Queryable } from '@rookery/db'
import { type JobPayload, addJob } from '@rookery/jobs'
import type { Locale } from '@rookery/tenants'

import { MailLimitError } from '../errors.ts'
import { chooseLocale } from '../templates/messages.ts'
import { type RequestMailDeps, requestTokenMail } from './request-mail.ts'

/**
 * Writes the job that mails the token for a new password to whoever has the address on the host. Nothing is looked up,
 * so an address that nobody has takes as long and does the same as any other.
 *
 * @param wish.email as `parseEmail` returns it.
 */
export async function requestPasswordReset(
  tx: Queryable,
  wish: { hostId: number; email: string; locale: Locale | undefined },
): Promise<void> {
  const { hostId, email, locale } = wish
  await addJob(tx, {
    queue: 'password-reset',
    payload: { hostId, email, ...(locale === undefined ? {} : { locale }) },
    dedupeKey: `${hostId}:${email}`,
  })
}

/**
 * Does a job of the `password-reset` queue: asks for the mail if the host has an account with the address. Done twice,
 * it mails once, or two tokens of which the second is good.
 */
export async function answerPasswordReset(
  deps: RequestMailDeps,
  { hostId, email, locale }: JobPayload<'password-reset'>,
): Promise<void> {
  const account = await findAccountByEmail(deps.tx, hostId, email)
  if (account === undefined) return
  try {
    await requestTokenMail(deps, account, { template: 'reset-password', locale: chooseLocale(locale) })
  } catch (error) {
    // Operators find it among the deliveries.
    if (!(error instanceof MailLimitError)) throw error
  }
}
