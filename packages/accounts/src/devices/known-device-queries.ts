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
     insert into known_device (account_id, device_id, trusted_until)
     values ($1, $2, now() + $3::bigint * interval '1 millisecond')
     on conflict (account_id, device_id) do update
       set last_seen_at = now(), trusted_until = coalesce(excluded.trusted_until, known_device.trusted_until)
     returning xmax = 0 as is_new, exists (select from others) as has_others`,
    [device.accountId, device.deviceId, device.trustMs ?? null],
  )
  return { isNew: rows[0]?.is_new === true && rows[0].has_others }
}

/** Tells whether the account's owner wants no second factor asked for in the browser at present. */
export async function isTrustedDevice(db: Queryable, accountId: number, deviceId: string): Promise<boolean> {
  const { rows } = await db.query(
    'select 1 from known_device where account_id = $1 and device_id = $2 and trusted_until > now()',
    [accountId, deviceId],
  )
  return rows.length > 0
}

/** Trusts no browser of the account any more. */
export async function distrustDevices(tx: Queryable, accountId: number): Promise<void> {
  await tx.query('update known_device set trusted_until = null where account_id = $1', [accountId])
}

/** Returns how many browsers are trusted at present. */
export async function countTrustedDevices(db: Queryable, accountId: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'select count(*)::integer as count from known_device where account_id = $1 and trusted_until > now()',
    [accountId],
  )
  return rows[0]?.count ?? 0
}
