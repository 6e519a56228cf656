import { type Queryable, statement } from '@rookery/db'

import type { Preference } from './preferences.ts'

/** A preference and whether only a session with full access may see and change it. */
export type PreferenceRow = { full_access_only: boolean; value: Preference }

const ofAccount = statement<PreferenceRow>(
  'preferences',
  'select full_access_only, value from preference where account_id = $1 order by position',
)

/** Returns the account's preferences in the order in which they were put. */
export async function listPreferences(db: Queryable, accountId: number): Promise<PreferenceRow[]> {
  return (await ofAccount(db, [accountId])).rows
}

/** Deletes the account's preferences; only those that need no full access unless told so. */
export async function deletePreferences(
  tx: Queryable,
  accountId: number,
  options: { isFullAccess: boolean },
): Promise<void> {
  await tx.query('delete from preference where account_id = $1 and ($2 or not full_access_only)', [
    accountId,
    options.isFullAccess,
  ])
}

/** Adds preferences after those that the account has. */
export async function insertPreferences(
  tx: Queryable,
  accountId: number,
  rows: readonly PreferenceRow[],
): Promise<void> {
  await tx.query(
    `insert into preference (account_id, position, full_access_only, value)
     select $1, n + (select coalesce(max(position), 0) from preference where account_id = $1), w.full_access_only,
            w.value::json
       from unnest($2::boolean[], $3::text[]) with ordinality as w(full_access_only, value, n)`,
    [accountId, rows.map((row) => row.full_access_only), rows.map(({ value }) => JSON.stringify(value))],
  )
}
