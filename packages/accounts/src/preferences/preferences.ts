import { type Database, type Queryable, inTransaction } from '@rookery/db'

import { lockAccount } from '../account-queries.ts'
import { AccountNotFoundError, InvalidPreferencesError } from '../errors.ts'
import { preferencesMax } from '../limits.ts'
import { declaredAge } from './declared-age.ts'
import {
  type PreferenceRow,
  deletePreferences,
  insertPreferences,
  listPreferences,
} from './preference-queries.ts'

/** One thing that an account prefers, in the form that an app gave it. */
export type Preference = { $type: string; [field: string]: unknown }

/** Whether the session has full access: app passwords and apps have not. */
export type PreferenceAccess = { isFullAccess: boolean }

const namespace = 'app.bsky'
const personalDetails = 'app.bsky.actor.defs#personalDetailsPref'
const declaredAges = 'app.bsky.actor.defs#declaredAgePref'

/**
 * Returns what the account prefers. Its day of birth only with full access; which ages it has reached always, if the
 * day is known.
 */
export async function getPreferences(
  db: Queryable,
  accountId: number,
  { isFullAccess }: PreferenceAccess,
): Promise<Preference[]> {
  const rows = await listPreferences(db, accountId)
  const seen = rows.filter((row) => isFullAccess || !row.full_access_only).map(({ value }) => value)
  const birthDate = rows.find(({ value }) => value.$type === personalDetails)?.value['birthDate']
  if (typeof birthDate !== 'string') return seen
  return [...seen, { $type: declaredAges, ...declaredAge(birthDate, new Date()) }]
}

/**
 * Replaces what the account prefers; without full access, what needs it stays. The ages are left out: they are known.
 *
 * @throws {InvalidPreferencesError} if one is not of apps, needs full access that is not there, or they are too many.
 * @throws {AccountNotFoundError} if the account is gone.
 */
export async function putPreferences(
  { db }: { db: Pick<Database, 'pool'> },
  accountId: number,
  values: readonly Preference[],
  access: PreferenceAccess,
): Promise<void> {
  assertAllowed(values, access)
  const rows: PreferenceRow[] = values
    .filter(({ $type }) => $type !== declaredAges)
    .map((value) => ({ full_access_only: isFullAccessOnly(value), value }))
  await inTransaction(db.pool, async (tx) => {
    // Two calls at once would each leave what the other one put.
    if ((await lockAccount(tx, accountId)) === undefined) throw new AccountNotFoundError('Account not found')
    await deletePreferences(tx, accountId, access)
    await insertPreferences(tx, accountId, rows)
  })
}

function assertAllowed(values: readonly Preference[], { isFullAccess }: PreferenceAccess): void {
  if (values.length > preferencesMax) {
    throw new InvalidPreferencesError(`Too many preferences. Max: ${preferencesMax}`)
  }
  if (values.some(({ $type }) => $type !== namespace && !$type.startsWith(`${namespace}.`))) {
    throw new InvalidPreferencesError(`Some preferences are not in the ${namespace} namespace`)
  }
  const forbidden = isFullAccess ? [] : values.filter(isFullAccessOnly)
  if (forbidden.length > 0) {
    const types = forbidden.map(({ $type }) => $type).join(', ')
    throw new InvalidPreferencesError(`Do not have authorization to set preferences: ${types}`)
  }
}

function isFullAccessOnly({ $type }: Preference): boolean {
  return $type === personalDetails
}
