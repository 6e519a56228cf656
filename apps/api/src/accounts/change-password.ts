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

import { type AccountMailDeps, announcer } from './account-mail.ts'

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
  await setPassword({ ...deps, announce: announcer(deps, 'password-changed', locale) }, account.id, password)
  deps.wakeWorkers()
}
