import { type Account, UnsupportedDomainError } from '@rookery/accounts'
import type { PdsHost } from '@rookery/http'
import type { Handle } from '@rookery/syntax'

import { type GiveHandleDeps, giveHandle } from './give-handle.ts'
import { noteSecurityEvent } from './security-event.ts'
import { type HandleDeps, assertOwnHandle, findOwnDomain } from './handles.ts'

/**
 * Gives the account the handle that its owner chose: under a domain of its tenant, or one of the owner's own.
 *
 * @throws {UnsupportedDomainError} for a domain of another host or tenant.
 * @throws whatever the rules of handles and `giveHandle` throw.
 */
export async function chooseHandle(
  deps: HandleDeps & GiveHandleDeps,
  host: PdsHost,
  account: Account,
  handle: Handle,
): Promise<void> {
  await assertAllowed(deps, host, account, handle)
  await giveHandle(deps, account, handle)
  if (handle === account.handle) return
  await noteSecurityEvent(deps.db.pool, account, 'account.handle.change', {
    from: account.handle,
    to: handle,
  })
}

async function assertAllowed(
  deps: HandleDeps,
  host: PdsHost,
  account: Account,
  handle: Handle,
): Promise<void> {
  // Whoever has a handle keeps it, also if the rules have changed since.
  if (handle === account.handle) return
  const domain = await findOwnDomain(deps, host, handle)
  if (domain === undefined) {
    return assertOwnHandle(deps, handle, { did: account.did, tenantId: account.tenant_id })
  }
  if (domain.tenantId !== account.tenant_id) throw new UnsupportedDomainError('Not a supported handle domain')
}
