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
import type { Database } from '@rookery/db'
import type { PdsHost } from '@rookery/http'
import type { IdentityResolver, SigningKeys } from '@rookery/identity'

export type DeleteOwnAccountDeps = {
  db: Pick<Database, 'pool'>
  passwords: PasswordHasher
  identities: Pick<IdentityResolver, 'forget'>
  signingKeys: Pick<SigningKeys, 'forget'>
  wakeSequencer: () => void
  wakeWorkers: () => void
}

/**
 * Deletes the account by the word of its owner: the password, and the token that was mailed.
 *
 * @throws {InvalidLoginError} for an unknown account and a wrong password alike.
 * @throws {InvalidTokenError} {ExpiredTokenError} for the token.
 */
export async function deleteOwnAccount(
  deps: DeleteOwnAccountDeps,
  host: Pick<PdsHost, 'id'>,
  { did, password, token }: { did: string; password: string; token: string },
): Promise<void> {
  const account = await checkPassword(deps, { hostId: host.id, did }, password)
  if (account === undefined) throw new InvalidLoginError('Invalid did or password')
  const offered: OfferedEmailToken = { accountId: account.id, purpose: 'delete_account', token }
  await assertEmailToken(deps.db.pool, offered)
  await deleteAccount({ db: deps.db, scheduleErasure }, account.id, (tx) => consumeEmailToken(tx, offered))
  deps.signingKeys.forget(account.id)
  deps.wakeSequencer()
  deps.wakeWorkers()
  await deps.identities.forget({ did })
}
