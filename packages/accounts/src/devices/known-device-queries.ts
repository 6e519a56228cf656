import type { Queryable } from '@rookery/db'

/**
 * Notes that the account signed in with the browser, and tells whether it had others but not this one.
 *
 * @param device.trustMs how long no second factor is to be asked for there, in milliseconds; undefined: as before.
 */
export async function noteDevice(
  tx: Queryable,
  device: { accountId: number; deviceId: string; trustMs: number | undefined },
): Promise<{ isNew: boolean }> {
  const { rows } = await tx.query<{ is_new: boolean; has_others: boolean }>(
    `with others as (select from known_device where account_id = $1 and device_id <> $2 limit 1)
     insert into known_device (account_id, device_id, trusted_until, trusted_at)
     values ($1, $2, now() + $3::bigint * interval '1 millisecond',
             case when $3::bigint is null then null else now() end)
     on conflict (account_id, device_id) do update
       set last_seen_at = now(), trusted_until = coalesce(excluded.trusted_until, known_device.trusted_until),
           trusted_at = coalesce(excluded.trusted_at, known_device.trusted_at)
     returning xmax = 0 as is_new, exists (select from others) as has_others`,
    [device.accountId, device.deviceId, device.trustMs ?? null],
  )
  return { isNew: rows[0]?.is_new === true && rows[0].has_others }
}

/** Those that are trusted now: what was promised to the owner, or less if the tenant has it so since. */
const isTrusted = (maxMs: '$2' | '$3'): string => `trusted_until > now()
  and coalesce(trusted_at, trusted_until - interval '30 days') > now() - ${maxMs}::bigint * interval '1 millisecond'`

/**
 * Tells whether the account's owner wants no second factor asked for in the browser at present.
 *
 * @param device.maxMs how long the account's tenant lets a browser be trusted, in milliseconds.
 */
export async function isTrustedDevice(
  db: Queryable,
  device: { accountId: number; deviceId: string; maxMs: number },
): Promise<boolean> {
  const { rows } = await db.query(
    `select 1 from known_device where account_id = $1 and device_id = $2 and ${isTrusted('$3')}`,
    [device.accountId, device.deviceId, device.maxMs],
  )
  return rows.length > 0
}

/** Trusts no browser of the account any more. */
export async function distrustDevices(tx: Queryable, accountId: number): Promise<void> {
  await tx.query('update known_device set trusted_until = null where account_id = $1', [accountId])
}

/** Returns how many browsers are trusted at present; `maxMs` as for `isTrustedDevice`. */
export async function countTrustedDevices(db: Queryable, accountId: number, maxMs: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::integer as count from known_device where account_id = $1 and ${isTrusted('$2')}`,
    [accountId, maxMs],
  )
  return rows[0]?.count ?? 0
}
