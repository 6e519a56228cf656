import { type Account, parseOwnEmail, updateEmail } from '@rookery/accounts'
import type { HostDirectory, Locale } from '@rookery/tenants'

import { type AccountMailDeps, announcer, mailToken } from './account-mail.ts'
import { assertEmailDomain } from './email-domain.ts'
import { noteSecurityEvent } from './security-event.ts'

export type ChangeEmailDeps = AccountMailDeps & {
  directory: Pick<HostDirectory, 'findTenant' | 'getActiveTenant'>
}

type EmailChange = { email: string; token: string | undefined; locale: Locale | undefined }

/**
 * Gives the account the address that its owner wants, by the rules of its tenant.
 *
 * @throws whatever `updateEmail` and the rules of addresses throw.
 */
export async function changeEmail(
  deps: ChangeEmailDeps,
  account: Account,
  change: EmailChange,
): Promise<void> {
  const { email, token, locale } = change
  const { settings } = await deps.directory.getActiveTenant(account.tenant_id)
  const address = parseOwnEmail(email)
  assertEmailDomain(settings, address)
  const announce = announcer(deps, 'email-changed', locale)
  await updateEmail({ ...deps, announce }, account.id, { email: address, token })
  await noteSecurityEvent(deps.db.pool, account, 'account.email.change')
  deps.wakeWorkers()
}

/** Changes the address as `changeEmail` does, and mails the new one a token to confirm it: pages do it at once. */
export async function changeAndConfirmEmail(
  deps: ChangeEmailDeps & {
    accounts: { findByDid: (of: { hostId: number; did: string }) => Promise<Account | undefined> }
  },
  account: Account,
  change: EmailChange,
): Promise<Account> {
  await changeEmail(deps, account, change)
  const changed = await deps.accounts.findByDid({ hostId: account.host_id, did: account.did })
  if (changed === undefined) return account
  await mailToken(deps, changed, 'confirm-email', change.locale)
  return changed
}
