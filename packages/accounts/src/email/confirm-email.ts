import { type Database, inTransaction } from '@rookery/db'

import { assertEmailToken, consumeEmailToken } from '../email-tokens/email-tokens.ts'
import { InvalidTokenError } from '../errors.ts'
import { confirmAddress } from './email-queries.ts'

/**
 * Confirms the account's address with the token that was mailed to it.
 *
 * @throws {InvalidTokenError} if it is not the token, was used, or the account has another address by now.
 * @throws {ExpiredTokenError} if its time is over.
 */
export async function confirmEmail(
  { db }: { db: Pick<Database, 'pool'> },
  account: { id: number; email: string },
  token: string,
): Promise<void> {
  const offered = { accountId: account.id, purpose: 'confirm_email', token } as const
  await assertEmailToken(db.pool, offered)
  await inTransaction(db.pool, async (tx) => {
    await consumeEmailToken(tx, offered)
    const isTheirs = await confirmAddress(tx, account.id, account.email)
    if (!isTheirs) throw new InvalidTokenError('Token is invalid')
  })
}
