import { type Database, type Queryable, inTransaction } from '@rookery/db'
import { businessEvent } from '@rookery/telemetry'

import { findAccountById, updatePasswordHash } from '../account-queries.ts'
import type { Account } from '../account.ts'
import { consumeEmailToken, findAccountOfToken } from '../email-tokens/email-tokens.ts'
import { endSessions } from '../sessions/session-queries.ts'
import type { PasswordHasher } from './password-hasher.ts'
import { assertNewPassword } from './password-rules.ts'

export type PasswordDeps = {
  db: Pick<Database, 'pool'>
  passwords: PasswordHasher
  /** Tells the owner, in the transaction that sets the password. */
  announce: (tx: Queryable, account: Account) => Promise<void>
}

/**
 * Sets a new password with the token that was mailed for it, ends every session of the account (SPEC EM-5), and returns
 * the account's row id. App passwords stay.
 *
 * @throws {InvalidPasswordError} if the password may not be set; the token stays good.
 * @throws {InvalidTokenError} if the token is nobody's on the host, or was used.
 * @throws {ExpiredTokenError} if its time is over.
 * @throws {PasswordQueueFullError} if too many passwords wait to be hashed.
 */
export async function resetPassword(
  deps: PasswordDeps,
  hostId: number,
  { token, password }: { token: string; password: string },
): Promise<number> {
  const { db, passwords } = deps
  assertNewPassword(password)
  const offered = { purpose: 'reset_password', token } as const
  const accountId = await findAccountOfToken(db.pool, hostId, offered)
  const passwordHash = await passwords.hash(password)
  await inTransaction(db.pool, async (tx) => {
    await consumeEmailToken(tx, { accountId, ...offered })
    await replacePassword(deps, tx, { accountId, passwordHash })
  })
  businessEvent('passwordChanged', { account: accountId })
  return accountId
}

/**
 * Sets a new password by the word of an operator, and ends every session of the account.
 *
 * @throws {InvalidPasswordError} if the password may not be set.
 * @throws {PasswordQueueFullError} if too many passwords wait to be hashed.
 */
export async function setPassword(deps: PasswordDeps, accountId: number, password: string): Promise<void> {
  const { db, passwords } = deps
  assertNewPassword(password)
  const passwordHash = await passwords.hash(password)
  await inTransaction(db.pool, (tx) => replacePassword(deps, tx, { accountId, passwordHash }))
  businessEvent('passwordChanged', { account: accountId })
}

async function replacePassword(
  { announce }: PasswordDeps,
  tx: Queryable,
  { accountId, passwordHash }: { accountId: number; passwordHash: string },
): Promise<void> {
  await endSessions(tx, accountId)
  await updatePasswordHash(tx, accountId, passwordHash)
  const account = await findAccountById(tx, accountId)
  if (account !== undefined) await announce(tx, account)
}
