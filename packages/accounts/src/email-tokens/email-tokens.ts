import { hash } from 'node:crypto'

import type { EmailTokenPurpose, Queryable } from '@rookery/db'

import { ExpiredTokenError, InvalidTokenError } from '../errors.ts'
import { emailTokenLifeMs } from '../limits.ts'
import {
  deleteEmailToken,
  findEmailToken,
  findEmailTokenOfHost,
  upsertEmailToken,
} from './email-token-queries.ts'
import { randomCode } from './random-code.ts'

/** A token that somebody typed from a mail. */
export type OfferedEmailToken = { accountId: number; purpose: EmailTokenPurpose; token: string }

/**
 * Makes a token (`XXXXX-XXXXX`, 50 random bits) for the purpose, in place of any earlier one, and returns it. Only
 * its hash is stored: mail it and forget it.
 */
export async function issueEmailToken(
  tx: Queryable,
  accountId: number,
  purpose: EmailTokenPurpose,
): Promise<string> {
  const token = randomCode()
  await upsertEmailToken(tx, { accountId, purpose, hash: hashToken(purpose, token) })
  return token
}

/**
 * Returns if the token is the account's live one. A wrong one counts as a try, so run it outside of a transaction
 * that may roll back; consume it with what it is for.
 *
 * @throws {InvalidTokenError} if it is not, or too many wrong ones were tried.
 * @throws {ExpiredTokenError} if it is, but its 15 minutes are over.
 */
export async function assertEmailToken(db: Queryable, offered: OfferedEmailToken): Promise<void> {
  const { accountId, purpose, token } = offered
  assertLive(await findEmailToken(db, { accountId, purpose, hash: hashToken(purpose, token) }))
}

/**
 * Returns the account whose live token this is, for requests that name no account. Wrong tries cannot be counted then:
 * nobody knows whose they are.
 *
 * @throws {InvalidTokenError} if it is nobody's on the host.
 * @throws {ExpiredTokenError} if its 15 minutes are over.
 */
export async function findAccountOfToken(
  db: Queryable,
  hostId: number,
  { purpose, token }: Omit<OfferedEmailToken, 'accountId'>,
): Promise<number> {
  const row = await findEmailTokenOfHost(db, { hostId, purpose, hash: hashToken(purpose, token) })
  return assertLive(row).account_id
}

function assertLive<Row extends { requested_at: Date }>(row: Row | undefined): Row {
  if (row === undefined) throw new InvalidTokenError('Token is invalid')
  if (row.requested_at.getTime() + emailTokenLifeMs <= Date.now()) {
    throw new ExpiredTokenError('Token is expired')
  }
  return row
}

/**
 * Uses the token up, in the transaction that does what it is for.
 *
 * @throws {InvalidTokenError} if another call did so first.
 */
export async function consumeEmailToken(tx: Queryable, offered: OfferedEmailToken): Promise<void> {
  const { accountId, purpose, token } = offered
  const wasThere = await deleteEmailToken(tx, { accountId, purpose, hash: hashToken(purpose, token) })
  if (!wasThere) throw new InvalidTokenError('Token is invalid')
}

function hashToken(purpose: EmailTokenPurpose, token: string): Buffer {
  return hash('sha256', `${purpose}:${token.trim().toUpperCase()}`, 'buffer')
}
