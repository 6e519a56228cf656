import { type Account, NoEmailAddressError } from '@rookery/accounts'
import type { Queryable } from '@rookery/db'
import { addJob } from '@rookery/jobs'

import type { TemplateName } from './templates.ts'

/**
 * Writes the job that mails the account a token, in the caller's transaction if it gives one. Asking again before it
 * is sent sends one mail. The token is made when the mail is: it is in no job and no queue.
 *
 * @throws {NoEmailAddressError} if the account has no address.
 */
export async function requestTokenMail(
  tx: Queryable,
  account: Account,
  template: TemplateName,
): Promise<void> {
  if (account.email === null) throw new NoEmailAddressError()
  await addJob(tx, {
    queue: 'mail',
    payload: {
      hostId: account.host_id,
      tenantId: account.tenant_id,
      accountId: account.id,
      template,
      to: account.email,
      params: {},
    },
    dedupeKey: `${template}:${account.id}`,
  })
}
