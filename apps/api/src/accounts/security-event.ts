import { type Account, appendAuditEntry } from '@rookery/accounts'
import type { Database, Queryable } from '@rookery/db'
import type { NoticeTemplate } from '@rookery/mail'
import type { Locale } from '@rookery/tenants'

import { type AccountMailDeps, announcer } from './account-mail.ts'

/** Adds to the audit log what an account's owner did to the account's own safety. */
export function noteSecurityEvent(
  tx: Queryable,
  account: Pick<Account, 'host_id' | 'tenant_id' | 'did'>,
  action: string,
  detail: object = {},
): Promise<void> {
  const { host_id: hostId, tenant_id: tenantId, did } = account
  return appendAuditEntry(tx, { hostId, tenantId, did, actor: did, action, detail })
}

/** Returns what tells the owner and the audit log, in the transaction of what happened, as `announcer` does. */
export function auditedAnnouncer(
  deps: Pick<AccountMailDeps, 'directory'> & { db: Pick<Database, 'pool'> },
  event: { template: NoticeTemplate; action: string; locale: Locale | undefined },
): (tx: Queryable, account: Account) => Promise<void> {
  const announce = announcer(deps, event.template, event.locale)
  return async (tx, account) => {
    await announce(tx, account)
    await noteSecurityEvent(tx, account, event.action)
  }
}
