import { findAccountById, issueEmailToken } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { type JobPayload, JobRefusedError, queues } from '@rookery/jobs'
import { metrics } from '@rookery/telemetry'
import { TenancyNotFoundError, type Tenant } from '@rookery/tenants'

import { UnknownTemplateError } from '../errors.ts'
import { deliveryErrorLengthMax } from '../limits.ts'
import { isLocale } from '../templates/messages.ts'
import { type TemplateName, isTemplateName, isTokenTemplate, tokenPurposes } from '../templates/names.ts'
import { type MailContent, oneLine, renderMail } from '../templates/render-mail.ts'
import { mailFailureOf } from '../transport/mail-failure.ts'
import type { Mail, Mailer, Sender } from '../transport/mailer.ts'
import { type DeliveryState, insertSuppression, isSuppressed, recordOutcome } from './delivery-queries.ts'

export type DeliverMailDeps = {
  db: Pick<Database, 'pool'>
  /** Knows the tenants; the host directory does. */
  directory: { findTenant(id: number): Promise<Pick<Tenant, 'name' | 'settings'> | undefined> }
  mailer: Pick<Mailer, 'send'>
  /** Address that moderators' mail comes from for tenants without one of their own. */
  moderationFrom: string | undefined
}

/** A job of the `mail` queue that is being run. */
export type MailJob = { id: number; attempt: number; payload: JobPayload<'mail'> }

type Outcome = { state: DeliveryState; messageId?: string | undefined }

/**
 * Does a job of the `mail` queue and notes what became of the mail. A token is made here, which ends any earlier one of
 * its purpose: done twice, two tokens are mailed of which the second is good. An account that is gone, or has another
 * address by now, gets none; nor does an address that is suppressed.
 *
 * @throws {UnknownTemplateError} if a newer version wrote the job: it is for that one's workers.
 * @throws {JobRefusedError} if the mail server refused the mail for good.
 */
export async function deliverMail(deps: DeliverMailDeps, job: MailJob): Promise<void> {
  const { payload, attempt } = job
  const { template } = payload
  if (!isTemplateName(template)) throw new UnknownTemplateError(`there is no mail template ${template}`)
  const note = async (outcome: Outcome & { error?: string }): Promise<void> => {
    const delivery = { ...payload, recipient: payload.to, jobId: job.id, sender: null }
    await recordOutcome(deps.db.pool, delivery, { ...outcome, attempts: attempt })
    metrics.add('rookery_mail_total', { template, state: outcome.state })
  }
  try {
    await note(await attemptDelivery(deps, payload, template))
  } catch (error) {
    const failure = mailFailureOf(error)
    const isOver = failure !== 'temporary' || attempt >= queues.mail.attemptsMax
    const text = (error instanceof Error ? error.message : String(error)).slice(0, deliveryErrorLengthMax)
    await note({ state: isOver ? 'failed' : 'retrying', error: text })
    if (failure === 'bad-address') {
      const { tenantId, to: recipient } = payload
      await insertSuppression(deps.db.pool, { tenantId, recipient, reason: 'bounce', detail: text })
    }
    throw failure === 'temporary' ? error : new JobRefusedError('MailRefused', text, { cause: error })
  }
}

async function attemptDelivery(
  deps: DeliverMailDeps,
  payload: JobPayload<'mail'>,
  template: TemplateName,
): Promise<Outcome> {
  const { to, tenantId, locale = '' } = payload
  const tenant = await deps.directory.findTenant(tenantId)
  if (tenant === undefined) throw new TenancyNotFoundError(`there is no tenant ${tenantId}`)
  if (await isSuppressed(deps.db.pool, tenantId, to)) return { state: 'suppressed' }
  const found = await contentOf(deps, payload, template)
  if (found === undefined) return { state: 'dropped' }
  const mail: Mail = renderMail(found.content, {
    to,
    account: found.account,
    tenant,
    locale: isLocale(locale) ? locale : tenant.settings.defaultLocale,
  })
  const messageId = await deps.mailer.send(mail, senderOf(deps, tenant, template))
  return { state: 'sent', messageId }
}

/** Returns what the mail says and about which account, or undefined if it is not to be sent any more. */
async function contentOf(
  { db }: DeliverMailDeps,
  { accountId, to, params }: JobPayload<'mail'>,
  template: TemplateName,
): Promise<{ content: MailContent; account: string } | undefined> {
  const name = params['account'] ?? ''
  if (template === 'message') {
    return { content: { template, subject: params['subject'], body: params['body'] ?? '' }, account: name }
  }
  if (!isTokenTemplate(template)) return { content: { template }, account: name }
  const account = accountId === null ? undefined : await findAccountById(db.pool, accountId)
  if (account === undefined || account.email !== to) return undefined
  const token = await issueEmailToken(db.pool, account.id, tokenPurposes[template])
  return { content: { template, token }, account: account.handle ?? account.did }
}

function senderOf(
  { moderationFrom }: DeliverMailDeps,
  { name, settings }: Pick<Tenant, 'name' | 'settings'>,
  template: TemplateName,
): Sender {
  const { mailFrom, mailFromName, mailReplyTo, mailModerationFrom } = settings
  const address = template === 'message' ? (mailModerationFrom ?? moderationFrom ?? mailFrom) : mailFrom
  return { name: oneLine(mailFromName ?? name), address, replyTo: mailReplyTo }
}
