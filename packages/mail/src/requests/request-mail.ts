import { type Account, NoEmailAddressError } from '@rookery/accounts'
import type { Queryable } from '@rookery/db'
import { addJob } from '@rookery/jobs'
import type { Locale, Tenant } from '@rookery/tenants'

import { InvalidMessageError, MailLimitError } from '../errors.ts'
import { countRecent, insertDelivery, insertLimited } from '../delivery/delivery-queries.ts'
import { limitWindowMs, messageBytesMax, subjectLengthMax } from '../limits.ts'
import type { NoticeTemplate, TemplateName, TokenTemplate } from '../templates/names.ts'

export type RequestMailDeps = {
  /** The caller's transaction, or a pool: the mail exists if this commits. */
  tx: Queryable
  /** Knows the tenants' limits; the host directory does. */
  directory: { findTenant(id: number): Promise<Pick<Tenant, 'name' | 'settings'> | undefined> }
}

type Wish = {
  template: TemplateName
  locale: Locale | undefined
  to: string
  params: Record<string, string>
  dedupeKey?: string
  /** DID of the moderator who wrote it. */
  sender?: string
}

/**
 * Writes the job that mails the account a token. Asking again before it is sent sends one mail. The token is made when
 * the mail is: it is in no job and no queue.
 *
 * @throws {NoEmailAddressError} if the account has no address.
 * @throws {MailLimitError} if the address or the tenant had its share; that it was asked for is recorded.
 */
export async function requestTokenMail(
  deps: RequestMailDeps,
  account: Account,
  { template, locale }: { template: TokenTemplate; locale: Locale | undefined },
): Promise<void> {
  const to = addressOf(account)
  const dedupeKey = `${template}:${account.id}`
  if (!(await request(deps, account, { template, locale, to, params: {}, dedupeKey })))
    throw new MailLimitError()
}

/**
 * Writes the job that tells the account's owner what happened; call it in the transaction in which that does. An
 * account without an address is told nothing; past a limit that is recorded, and what happened goes on.
 */
export async function requestNotice(
  deps: RequestMailDeps,
  account: Account,
  { template, locale }: { template: NoticeTemplate; locale: Locale | undefined },
): Promise<void> {
  if (account.email === null) return
  // The account may be gone, or be called otherwise, when the mail is made.
  const params = { account: nameOf(account) }
  await request(deps, account, { template, locale, to: account.email, params })
}

/**
 * Writes the job that mails the account what a moderator wrote, as HTML or plain text.
 *
 * @throws {NoEmailAddressError} if the account has no address.
 * @throws {InvalidMessageError} if there is nothing to say, or too much.
 * @throws {MailLimitError} if the address or the tenant had its share.
 */
export async function requestMessage(
  deps: RequestMailDeps,
  account: Account,
  message: { subject: string | undefined; body: string; sender: string },
): Promise<void> {
  const { subject = '', body, sender } = message
  const to = addressOf(account)
  if (body.trim() === '') throw new InvalidMessageError('The message is empty')
  if (Buffer.byteLength(body) > messageBytesMax) {
    throw new InvalidMessageError(`A message has at most ${messageBytesMax} bytes`)
  }
  if (subject.length > subjectLengthMax) {
    throw new InvalidMessageError(`A subject has at most ${subjectLengthMax} characters`)
  }
  const params = { account: nameOf(account), subject, body }
  const wish: Wish = { template: 'message', locale: undefined, to, params, sender }
  if (!(await request(deps, account, wish))) throw new MailLimitError()
}

/** Writes the job and what is known of the mail; false, and a note of it, if a limit is reached. */
async function request({ tx, directory }: RequestMailDeps, account: Account, wish: Wish): Promise<boolean> {
  const { template, to, params, locale, dedupeKey, sender } = wish
  const { host_id: hostId, tenant_id: tenantId, id: accountId } = account
  const delivery = { hostId, tenantId, accountId, template, recipient: to, sender: sender ?? null }
  const settings = (await directory.findTenant(tenantId))?.settings
  if (settings !== undefined) {
    const max = settings.mailsPerTenantHourMax
    const sent = await countRecent(tx, { tenantId, recipient: to, windowMs: limitWindowMs, max })
    if (sent.recipient >= settings.mailsPerRecipientHourMax || sent.tenant >= max) {
      await insertLimited(tx, delivery, limitWindowMs)
      return false
    }
  }
  const jobId = await addJob(tx, {
    queue: 'mail',
    payload: {
      hostId,
      tenantId,
      accountId,
      template,
      to,
      params,
      ...(locale === undefined ? {} : { locale }),
    },
    ...(dedupeKey === undefined ? {} : { dedupeKey }),
  })
  await insertDelivery(tx, { ...delivery, jobId })
  return true
}

function addressOf(account: Account): string {
  if (account.email === null) throw new NoEmailAddressError()
  return account.email
}

function nameOf(account: Account): string {
  return account.handle ?? account.did
}
