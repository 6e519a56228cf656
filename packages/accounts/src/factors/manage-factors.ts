import { type Queryable, inTransaction } from '@rookery/db'

import { lockAccount } from '../account-queries.ts'
import type { Account } from '../account.ts'
import { assertEmailToken, consumeEmailToken } from '../email-tokens/email-tokens.ts'
import {
  AccountNotFoundError,
  EmailTokenRequiredError,
  FactorRefusedError,
  InvalidTokenError,
} from '../errors.ts'
import {
  countRecoveryCodes,
  deleteRecoveryCodes,
  deleteTotp,
  findTotp,
  updateEmailFactor,
  upsertTotp,
} from './factor-queries.ts'
import { issueRecoveryCodes } from './recovery-codes.ts'
import { type FactorDeps, assertTotp, listFactorKinds, totpOwner } from './second-factor.ts'
import { newTotpSecret } from './totp.ts'

export type ManageFactorsDeps = FactorDeps & {
  /** Tells the owner, in the transaction that changes the factors. */
  announce: (tx: Queryable, account: Account) => Promise<void>
}

/**
 * Begins to set up an authenticator app: makes its secret, in place of one that was never confirmed.
 *
 * @throws {FactorRefusedError} if there is one already.
 */
export async function beginTotp({ db, wrapper }: FactorDeps, account: Account): Promise<void> {
  const wrapped = wrapper.wrap(newTotpSecret(), totpOwner(account))
  const isStored = await upsertTotp(db.pool, account.id, wrapped)
  if (!isStored) throw new FactorRefusedError('There is an authenticator app already')
}

/** Returns the secret of an authenticator app that is still to be confirmed, or undefined. */
export async function findPendingTotp(
  { db, wrapper }: FactorDeps,
  account: Account,
): Promise<Buffer | undefined> {
  const totp = await findTotp(db.pool, account.id)
  if (totp === undefined || totp.confirmed_at !== null) return undefined
  return wrapper.unwrap(totp.wrapped, totpOwner(account))
}

/**
 * Makes the authenticator app a factor by a code of it.
 *
 * @returns recovery codes, to be shown this once; none if the account has some.
 * @throws {InvalidTokenError} if it is no code of the app.
 */
export async function confirmTotp(
  deps: ManageFactorsDeps,
  account: Account,
  code: string,
): Promise<string[]> {
  if ((await findPendingTotp(deps, account)) === undefined) throw new InvalidTokenError('Token is invalid')
  await assertTotp(deps, account, code.replaceAll(/\s/g, ''))
  return inTransaction(deps.db.pool, async (tx) => {
    await deps.announce(tx, account)
    return (await countRecoveryCodes(tx, account.id)) > 0 ? [] : issueRecoveryCodes(tx, account.id)
  })
}

/** Takes the authenticator app away, and the recovery codes if no factor is left. */
export async function removeTotp(deps: ManageFactorsDeps, account: Account): Promise<void> {
  await inTransaction(deps.db.pool, async (tx) => {
    if (!(await deleteTotp(tx, account.id))) return
    await deps.announce(tx, account)
    await dropIdleRecoveryCodes(tx, account)
  })
}

/**
 * Gives the account new recovery codes in place of all others, and returns them, to be shown this once.
 *
 * @throws {FactorRefusedError} if it has no factor that they could stand in for.
 */
export async function renewRecoveryCodes(deps: ManageFactorsDeps, account: Account): Promise<string[]> {
  if ((await listFactorKinds(deps.db.pool, account)).length === 0) {
    throw new FactorRefusedError('There is no second factor yet')
  }
  return inTransaction(deps.db.pool, async (tx) => {
    await deps.announce(tx, account)
    return issueRecoveryCodes(tx, account.id)
  })
}

/**
 * Says whether codes are mailed as a second factor. Only a confirmed address can be one; who gives it up has the token
 * that was mailed to it.
 *
 * @throws {FactorRefusedError} if the address is not confirmed.
 * @throws {EmailTokenRequiredError} if it is to be given up without a token.
 * @throws {InvalidTokenError} {ExpiredTokenError} for the token.
 * @throws {AccountNotFoundError} if the account is gone.
 */
export async function setEmailFactor(
  deps: Omit<ManageFactorsDeps, 'wrapper'>,
  accountId: number,
  { isOn, token }: { isOn: boolean; token: string | undefined },
): Promise<void> {
  const offered = token === undefined ? undefined : ({ accountId, purpose: 'update_email', token } as const)
  if (offered !== undefined) await assertEmailToken(deps.db.pool, offered)
  await inTransaction(deps.db.pool, async (tx) => {
    const account = await lockAccount(tx, accountId)
    if (account === undefined) throw new AccountNotFoundError('Account not found')
    if (offered !== undefined) await consumeEmailToken(tx, offered)
    if (account.email_auth_factor === isOn) return
    if (account.email_confirmed_at === null) throw new FactorRefusedError('Confirm the e-mail address first')
    if (!isOn && offered === undefined) throw new EmailTokenRequiredError()
    await updateEmailFactor(tx, accountId, isOn)
    await deps.announce(tx, account)
    if (!isOn) await dropIdleRecoveryCodes(tx, { ...account, email_auth_factor: false })
  })
}

async function dropIdleRecoveryCodes(tx: Queryable, account: Account): Promise<void> {
  const kinds = await listFactorKinds(tx, account)
  if (kinds.length === 0) await deleteRecoveryCodes(tx, account.id)
}
