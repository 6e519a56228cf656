import {
  type Account,
  InvalidLoginError,
  type PasswordHasher,
  assertNewPassword,
  checkPassword,
  setPassword,
} from '@rookery/accounts'
import type { Database } from '@rookery/db'
import type { Locale } from '@rookery/tenants'

import type { AccountMailDeps } from './account-mail.ts'
import { auditedAnnouncer } from './security-event.ts'

export type ChangePasswordDeps = AccountMailDeps & { db: Pick<Database, 'pool'>; passwords: PasswordHasher }

/**
 * Gives the account another password by the word of its owner, who knows the present one, and ends every session. A mail
 * tells that it was changed.
 *
 * @throws {InvalidLoginError} if the present password is another, or there is none.
 * @throws {InvalidPasswordError} if the new one may not be set.
 */
export async function changePassword(
  deps: ChangePasswordDeps,
  account: Account,
  change: { current: string; password: string; locale: Locale | undefined },
): Promise<void> {
  const { current, password, locale } = change
  assertNewPassword(password)
  const login = { hostId: account.host_id, identifier: account.did }
  const owner = await checkPassword(deps, login, current)
  if (owner === undefined) throw new InvalidLoginError('That is not your present password')
  const event = { template: 'password-changed', action: 'account.password.change', locale } as const
  await setPassword({ ...deps, announce: auditedAnnouncer(deps, event) }, account.id, password)
  deps.wakeWorkers()
}
