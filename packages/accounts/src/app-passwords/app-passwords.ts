import { hash, randomInt } from 'node:crypto'

import { type Database, inTransaction } from '@rookery/db'
import { businessEvent } from '@rookery/telemetry'

import { lockAccount } from '../account-queries.ts'
import { AccountNotFoundError, AppPasswordRefusedError } from '../errors.ts'
import { appPasswordNameLengthMax, appPasswordsMax } from '../limits.ts'
import { endAccessTokens } from '../sessions/session-queries.ts'
import { deleteAppPassword, insertAppPassword, listAppPasswordRows } from './app-password-queries.ts'

type Deps = { db: Pick<Database, 'pool'> }

/** A password that an account made for an app (SPEC AU-5), without the password: that is shown once. */
export type AppPassword = {
  name: string
  /** Whether it opens chat, and moves to another host. */
  privileged: boolean
  createdAt: Date
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const shape = /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/

/**
 * Makes an app password (`xxxx-xxxx-xxxx-xxxx`, 80 random bits) and returns it with the text to sign in with, which is
 * stored nowhere.
 *
 * @throws {AppPasswordRefusedError} if the account has one of that name, or as many as it may have; or for a bad name.
 * @throws {AccountNotFoundError} if the account is gone.
 */
export async function createAppPassword(
  { db }: Deps,
  accountId: number,
  wanted: { name: string; privileged: boolean },
): Promise<AppPassword & { password: string }> {
  const { name, privileged } = wanted
  if (name.trim() === '' || name.length > appPasswordNameLengthMax) {
    throw new AppPasswordRefusedError(`A name has 1 to ${appPasswordNameLengthMax} characters`)
  }
  const password = randomAppPassword()
  const made = await inTransaction(db.pool, async (tx) => {
    // Two calls at once would each count without the other.
    if ((await lockAccount(tx, accountId)) === undefined) throw new AccountNotFoundError('Account not found')
    if ((await listAppPasswordRows(tx, accountId)).length >= appPasswordsMax) {
      throw new AppPasswordRefusedError(`Too many app passwords. Max: ${appPasswordsMax}`)
    }
    return insertAppPassword(tx, { accountId, name, passwordHash: hashAppPassword(password), privileged })
  })
  if (made === undefined) throw new AppPasswordRefusedError('An app password of this name exists already')
  businessEvent('appPasswordCreated', { account: accountId })
  return { ...made, password }
}

/** Returns the account's app passwords, the oldest first. */
export function listAppPasswords({ db }: Deps, accountId: number): Promise<AppPassword[]> {
  return listAppPasswordRows(db.pool, accountId)
}

/**
 * Revokes an app password: nobody signs in with it any more, and its sessions end. Access tokens of
 * the account end at once: other sessions get new ones with their refresh tokens. One that
 * is not there is fine.
 */
export async function revokeAppPassword({ db }: Deps, accountId: number, name: string): Promise<void> {
  await inTransaction(db.pool, async (tx) => {
    // The row's lock comes after the repo's, as everywhere; nothing ends for a name that is none.
    if ((await listAppPasswordRows(tx, accountId)).some((row) => row.name === name)) {
      await endAccessTokens(tx, accountId)
    }
    await deleteAppPassword(tx, accountId, name)
  })
}

/** Tells whether a text could be an app password. */
export function isAppPassword(text: string): boolean {
  return shape.test(text)
}

/** Returns what is stored of an app password: one hash is enough for what nobody can guess. */
export function hashAppPassword(password: string): Buffer {
  return hash('sha256', `app-password:${password}`, 'buffer')
}

function randomAppPassword(): string {
  const group = (): string => Array.from({ length: 4 }, () => alphabet[randomInt(alphabet.length)]).join('')
  return [group(), group(), group(), group()].join('-')
}
