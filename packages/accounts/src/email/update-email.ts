import { type Database, type Queryable, inTransaction } from '@rookery/db'

import { lockAccount } from '../account-queries.ts'
import { deleteEmailTokens } from '../email-tokens/email-token-queries.ts'
import { assertEmailToken, consumeEmailToken } from '../email-tokens/email-tokens.ts'
import { AccountNotFoundError, EmailTokenRequiredError } from '../errors.ts'
import { toTakenError } from '../sign-up/taken.ts'
import { updateAddress } from './email-queries.ts'

/**
 * Gives the account another address, which is to be confirmed anew (SPEC EM-4). Every token that was mailed to the old
 * one is void. Who may change a confirmed address has its token; an unconfirmed one may be a mistyped one.
 *
 * @param change.email as `parseOwnEmail` returns it.
 * @throws {EmailTokenRequiredError} if the current address is confirmed and there is no token.
 * @throws {InvalidTokenError} {ExpiredTokenError} for the token.
 * @throws {EmailNotAvailableError} if another account of the host has the address.
 * @throws {AccountNotFoundError} if the account is gone.
 */
export async function updateEmail(
  { db }: { db: Pick<Database, 'pool'> },
  accountId: number,
  change: { email: string; token: string | undefined },
): Promise<void> {
  const { email, token } = change
  const offered = token === undefined ? undefined : ({ accountId, purpose: 'update_email', token } as const)
  if (offered !== undefined) await assertEmailToken(db.pool, offered)
  try {
    await inTransaction(db.pool, async (tx) => {
      const account = await lockAccount(tx, accountId)
      if (account === undefined) throw new AccountNotFoundError('Account not found')
      if (offered !== undefined) await consumeEmailToken(tx, offered)
      else if (account.email_confirmed_at !== null) throw new EmailTokenRequiredError()
      await replaceAddress(tx, accountId, email)
    })
  } catch (error) {
    throw toTakenError(error, '')
  }
}

/**
 * Gives the account another address by the word of an operator: no token is asked for.
 *
 * @param email as `parseEmail` returns it.
 * @throws {EmailNotAvailableError} if another account of the host has the address.
 */
export async function setEmail(
  { db }: { db: Pick<Database, 'pool'> },
  accountId: number,
  email: string,
): Promise<void> {
  try {
    await inTransaction(db.pool, (tx) => replaceAddress(tx, accountId, email))
  } catch (error) {
    throw toTakenError(error, '')
  }
}

async function replaceAddress(tx: Queryable, accountId: number, email: string): Promise<void> {
  await updateAddress(tx, accountId, email)
  await deleteEmailTokens(tx, accountId)
}
