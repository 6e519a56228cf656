import { type Database, type Queryable, inTransaction } from '@rookery/db'

import { lockAccount } from '../account-queries.ts'
import type { Account } from '../account.ts'
import { deleteEmailTokens } from '../email-tokens/email-token-queries.ts'
import { assertEmailToken, consumeEmailToken } from '../email-tokens/email-tokens.ts'
import { AccountNotFoundError, EmailTokenRequiredError } from '../errors.ts'
import { toTakenError } from '../sign-up/taken.ts'
import { updateAddress } from './email-queries.ts'

export type EmailDeps = {
  db: Pick<Database, 'pool'>
  /** Tells the owner at the old address, in the transaction that replaces it; called only if that was confirmed. */
  announce: (tx: Queryable, account: Account) => Promise<void>
}

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
  deps: EmailDeps,
  accountId: number,
  change: { email: string; token: string | undefined },
): Promise<void> {
  const { db } = deps
  const { email, token } = change
  const offered = token === undefined ? undefined : ({ accountId, purpose: 'update_email', token } as const)
  if (offered !== undefined) await assertEmailToken(db.pool, offered)
  try {
    await inTransaction(db.pool, async (tx) => {
      const account = await lockAccount(tx, accountId)
      if (account === undefined) throw new AccountNotFoundError('Account not found')
      if (offered !== undefined) await consumeEmailToken(tx, offered)
      else if (account.email_confirmed_at !== null) throw new EmailTokenRequiredError()
      await replaceAddress(deps, tx, { account, email })
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
 * @throws {AccountNotFoundError} if the account is gone.
 */
export async function setEmail(deps: EmailDeps, accountId: number, email: string): Promise<void> {
  try {
    await inTransaction(deps.db.pool, async (tx) => {
      const account = await lockAccount(tx, accountId)
      if (account === undefined) throw new AccountNotFoundError('Account not found')
      await replaceAddress(deps, tx, { account, email })
    })
  } catch (error) {
    throw toTakenError(error, '')
  }
}

/** An address that nobody confirmed may be a stranger's: nothing is told to it. */
async function replaceAddress(
  { announce }: EmailDeps,
  tx: Queryable,
  { account, email }: { account: Account; email: string },
): Promise<void> {
  await updateAddress(tx, account.id, email)
  await deleteEmailTokens(tx, account.id)
  if (account.email_confirmed_at !== null && account.email !== email) await announce(tx, account)
}
