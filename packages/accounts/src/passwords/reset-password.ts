import { type Database, type Queryable, inTransaction } from '@rookery/db'

import { updatePasswordHash } from '../account-queries.ts'
import { consumeEmailToken, findAccountOfToken } from '../email-tokens/email-tokens.ts'
import { deleteRefreshTokens } from '../sessions/session-queries.ts'
import type { PasswordHasher } from './password-hasher.ts'
import { assertNewPassword } from './password-rules.ts'

/**
 * Sets a new password with the token that was mailed for it, and ends every session of the account (SPEC EM-5). App
 * passwords stay.
 *
 * @throws {InvalidPasswordError} if the password may not be set; the token stays good.
 * @throws {InvalidTokenError} if the token is nobody's on the host, or was used.
 * @throws {ExpiredTokenError} if its time is over.
 * @throws {PasswordQueueFullError} if too many passwords wait to be hashed.
 */
export async function resetPassword(
  { db, passwords }: { db: Pick<Database, 'pool'>; passwords: PasswordHasher },
  hostId: number,
  { token, password }: { token: string; password: string },
): Promise<void> {
  assertNewPassword(password)
  const offered = { purpose: 'reset_password', token } as const
  const accountId = await findAccountOfToken(db.pool, hostId, offered)
  const passwordHash = await passwords.hash(password)
  await inTransaction(db.pool, async (tx) => {
    await consumeEmailToken(tx, { accountId, ...offered })
    await replacePassword(tx, accountId, passwordHash)
  })
}

/**
 * Sets a new password by the word of an operator, and ends every session of the account.
 *
 * @throws {InvalidPasswordError} if the password may not be set.
 * @throws {PasswordQueueFullError} if too many passwords wait to be hashed.
 */
export async function setPassword(
  { db, passwords }: { db: Pick<Database, 'pool'>; passwords: PasswordHasher },
  accountId: number,
  password: string,
): Promise<void> {
  assertNewPassword(password)
  const passwordHash = await passwords.hash(password)
  await inTransaction(db.pool, (tx) => replacePassword(tx, accountId, passwordHash))
}

async function replacePassword(tx: Queryable, accountId: number, passwordHash: string): Promise<void> {
  await updatePasswordHash(tx, accountId, passwordHash)
  await deleteRefreshTokens(tx, accountId)
}
