import { findAccountById, issueEmailToken } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import type { JobPayload } from '@rookery/jobs'

import { UnknownTemplateError } from './errors.ts'
import type { Mailer } from './mailer.ts'
import { isTemplateName, renderMail, templates } from './templates.ts'

export type DeliverMailDeps = {
  db: Pick<Database, 'pool'>
  /** Knows the tenants' names; the host directory does. */
  directory: { findTenant(id: number): Promise<{ name: string } | undefined> }
  mailer: Pick<Mailer, 'send'>
}

/**
 * Does a job of the `mail` queue: makes the token, which ends any earlier one of its purpose, and mails it. Done twice,
 * it mails two tokens of which the second is good. An account that is gone, or has another address by now, gets none.
 *
 * @throws {UnknownTemplateError} if a newer version wrote the job: it is for that one's workers.
 */
export async function deliverMail(deps: DeliverMailDeps, payload: JobPayload<'mail'>): Promise<void> {
  const { template, to } = payload
  if (!isTemplateName(template)) throw new UnknownTemplateError(`there is no mail template ${template}`)
  const account =
    payload.accountId === null ? undefined : await findAccountById(deps.db.pool, payload.accountId)
  if (account === undefined || account.email !== to) return
  const tenant = await deps.directory.findTenant(account.tenant_id)
  const brand = tenant?.name ?? 'your provider'
  const token = await issueEmailToken(deps.db.pool, account.id, templates[template].purpose)
  const context = { brand, account: account.handle ?? account.did, token }
  await deps.mailer.send(renderMail(template, to, context), brand)
}
