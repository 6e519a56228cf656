import {
  InvalidLoginError,
  type OfferedEmailToken,
  type PasswordHasher,
  assertEmailToken,
  checkPassword,
  consumeEmailToken,
  deleteAccount,
  scheduleErasure,
} from '@rookery/accounts'
import type { PdsHost } from '@rookery/http'
import type { IdentityResolver, SigningKeys } from '@rookery/identity'
import type { Locale } from '@rookery/tenants'

import { type AccountMailDeps, announcer } from './account-mail.ts'

export type DeleteOwnAccountDeps = AccountMailDeps & {
  passwords: PasswordHasher
  identities: Pick<IdentityResolver, 'forget'>
  signingKeys: Pick<SigningKeys, 'forget'>
  wakeSequencer: () => void
}

/**
 * Deletes the account by the word of its owner: the password, and the token that was mailed. A mail tells that it was.
 *
 * @throws {InvalidLoginError} for an unknown account and a wrong password alike.
 * @throws {InvalidTokenError} {ExpiredTokenError} for the token.
 */
export async function deleteOwnAccount(
  deps: DeleteOwnAccountDeps,
  host: Pick<PdsHost, 'id'>,
  input: { did: string; password: string; token: string; locale: Locale | undefined },
): Promise<void> {
  const { did, password, token, locale } = input
  const account = await checkPassword(deps, { hostId: host.id, identifier: did }, password)
  if (account === undefined) throw new InvalidLoginError('Invalid did or password')
  const offered: OfferedEmailToken = { accountId: account.id, purpose: 'delete_account', token }
  await assertEmailToken(deps.db.pool, offered)
  const announce = announcer(deps, 'account-deleted', locale)
  await deleteAccount({ db: deps.db, scheduleErasure }, account.id, async (tx) => {
    await consumeEmailToken(tx, offered)
    await announce(tx, account)
  })
  deps.signingKeys.forget(account.id)
  deps.wakeSequencer()
  deps.wakeWorkers()
  await deps.identities.forget({ did })
}
