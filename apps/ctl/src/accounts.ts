import { type Account, AccountNotFoundError, appendAuditEntry, findAccount } from '@rookery/accounts'
import { getHost } from '@rookery/tenants'

import type { CtlContext } from './context.ts'

/** How commands name an account: a DID or handle, and the host that it lives on. */
export type Named = { name: string; host: string }

/**
 * Returns an account.
 *
 * @throws {AccountNotFoundError} if it does not live on the host.
 */
export async function getAccount({ db }: CtlContext, { name, host }: Named): Promise<Account> {
  const { id: hostId } = await getHost(db.kysely, host)
  const account = await findAccount(db.pool, hostId, name)
  if (account === undefined) throw new AccountNotFoundError(`there is no account ${name} on ${host}`)
  return account
}

/** Keeps in the audit log what was done to an account. */
export async function audit(
  { db }: CtlContext,
  { host_id: hostId, tenant_id: tenantId, did }: Pick<Account, 'host_id' | 'tenant_id' | 'did'>,
  action: string,
  detail: object = {},
): Promise<void> {
  await appendAuditEntry(db.pool, { hostId, tenantId, did, actor: 'ctl', action, detail })
}

/** The host of entries about what belongs to no host: tenants. */
export const clusterHostId = 0

/** Keeps in the audit log what was done to a host, a tenant or what they have. Values that may be secret stay out. */
export async function auditSetting(
  { db }: CtlContext,
  of: { hostId?: number; tenantId?: number },
  action: string,
  detail: object,
): Promise<void> {
  const { hostId = clusterHostId, tenantId = null } = of
  await appendAuditEntry(db.pool, { hostId, tenantId, did: null, actor: 'ctl', action, detail })
}
