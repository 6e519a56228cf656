import { type Database, type Queryable, inTransaction } from '@rookery/db'

import type { Account } from '../account.ts'
import type { NoteFailure } from '../audit/sign-in-failure-queries.ts'
import { assertEmailToken, consumeEmailToken } from '../email-tokens/email-tokens.ts'
import { type FactorKind, FactorRequiredError, InvalidTokenError } from '../errors.ts'
import { factorCodeLengthMax, totpFreeFailures, totpRefusalMs, totpRefusalMsMax } from '../limits.ts'
import { findTotp, lockTotp, updateTotpFailures, updateTotpStep } from './factor-queries.ts'
import { useRecoveryCode } from './recovery-codes.ts'
import { findTotpStep, isTotpCode } from './totp.ts'

/** Wraps secrets; each unwraps for its owner only. */
export type SecretWrapper = {
  wrap(secret: Uint8Array, owner: string): Buffer
  unwrap(envelope: Uint8Array, owner: string): Buffer
}

export type FactorDeps = { db: Pick<Database, 'pool'>; wrapper: SecretWrapper; noteFailure?: NoteFailure }

/** Returns the second factors that the account has. */
export async function listFactorKinds(db: Queryable, account: Account): Promise<FactorKind[]> {
  const totp = await findTotp(db, account.id)
  return [
    ...(totp === undefined || totp.confirmed_at === null ? [] : (['totp'] as const)),
    ...(account.email_auth_factor && account.email !== null ? (['email'] as const) : []),
  ]
}

/**
 * Returns if the account wants no second factor, or the code is one: of its authenticator app, one that was mailed, or
 * a recovery code, each good once. Ask only after the password was right. Without a factor of its own, an account whose
 * tenant wants one is asked for a code by mail.
 *
 * @param offered.code what was typed, in any case; undefined if nobody was asked yet.
 * @throws {FactorRequiredError} if there is no code and one is wanted.
 * @throws {InvalidTokenError} if it is none of them, was used, or codes are refused after too many wrong ones.
 * @throws {ExpiredTokenError} if it was mailed too long ago.
 */
export async function assertSecondFactor(
  deps: FactorDeps,
  account: Account,
  offered: { code: string | undefined; isRequired: boolean },
): Promise<void> {
  try {
    await passFactor(deps, account, offered)
  } catch (error) {
    if (error instanceof InvalidTokenError) deps.noteFailure?.(account, 'code')
    throw error
  }
}

async function passFactor(
  deps: FactorDeps,
  account: Account,
  offered: { code: string | undefined; isRequired: boolean },
): Promise<void> {
  const kinds = await listFactorKinds(deps.db.pool, account)
  if (kinds.length === 0) {
    if (!offered.isRequired) return
    if (account.email !== null) kinds.push('email')
  }
  const code = offered.code?.replaceAll(/\s/g, '') ?? ''
  if (code === '') throw new FactorRequiredError(account, kinds)
  if (code.length > factorCodeLengthMax) throw new InvalidTokenError('Token is invalid')
  if (isTotpCode(code)) {
    if (!kinds.includes('totp')) throw new InvalidTokenError('Token is invalid')
    return assertTotp(deps, account, code)
  }
  if (await useRecoveryCode(deps.db.pool, account.id, code)) return
  if (!kinds.includes('email')) throw new InvalidTokenError('Token is invalid')
  const token = { accountId: account.id, purpose: 'sign_in', token: code } as const
  await assertEmailToken(deps.db.pool, token)
  await consumeEmailToken(deps.db.pool, token)
}

/**
 * Returns if the code is the authenticator app's; uses it and those before it up.
 *
 * @throws {InvalidTokenError} if it is not, or was used, or codes are refused after too many wrong ones.
 */
export async function assertTotp({ db, wrapper }: FactorDeps, account: Account, code: string): Promise<void> {
  // The lock makes tries follow one another, so that none is made before the last one has counted.
  const isRight = await inTransaction(db.pool, async (tx) => {
    const totp = await lockTotp(tx, account.id)
    if (totp === undefined || totp.is_refused) return false
    const step = findTotpStep(wrapper.unwrap(totp.wrapped, totpOwner(account)), code, Date.now())
    if (step !== undefined && step > totp.last_step) {
      await updateTotpStep(tx, account.id, step)
      return true
    }
    const failures = totp.failures + 1
    await updateTotpFailures(tx, account.id, { failures, refuseMs: refusalMsOf(failures) })
    return false
  })
  if (!isRight) throw new InvalidTokenError('Token is invalid')
}

/** Whom an authenticator's secret is wrapped for. */
export function totpOwner({ did }: Pick<Account, 'did'>): string {
  return `totp ${did}`
}

function refusalMsOf(failures: number): number {
  const further = failures - totpFreeFailures
  return further <= 0 ? 0 : Math.min(totpRefusalMs * 2 ** (further - 1), totpRefusalMsMax)
}
