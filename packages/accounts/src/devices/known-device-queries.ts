import { hash } from 'node:crypto'

import { type Queryable, statement } from '@rookery/db'

import { knownNetworksMax, networkSeenEveryMs } from '../limits.ts'

/** How an account stands to a browser or network. */
export type NotedDevice = {
  /** Whether the account signed in with it before. */
  isKnown: boolean
  /** Whether it has others of the kind. */
  hasOthers: boolean
  /** Browsers and networks that were new to the account within the last hour, this one too. */
  newOnes: number
}

/** Returns the id under which a network is known. */
export function networkDevice(network: string): string {
  return `net-${hash('sha256', network, 'base64url').slice(0, 22)}`
}

const note = statement<{ is_new: boolean; has_others: boolean; new_ones: number }>(
  'known_device_note',
  `with others as (
     select device_id, first_seen_at from known_device where account_id = $1 and device_id <> $2)
   insert into known_device (account_id, device_id, trusted_until, trusted_at)
   values ($1, $2, now() + $3::bigint * interval '1 millisecond',
           case when $3::bigint is null then null else now() end)
   on conflict (account_id, device_id) do update
     set last_seen_at = now(), trusted_until = coalesce(excluded.trusted_until, known_device.trusted_until),
         trusted_at = coalesce(excluded.trusted_at, known_device.trusted_at)
   returning xmax = 0 as is_new,
     exists (select from others where left(device_id, 4) = left($2, 4)) as has_others,
     (select count(*)::integer from others where first_seen_at > now() - interval '1 hour') as new_ones`,
)

/**
 * Notes that the account signed in with a browser, or from a network, and tells how it stands to it.
 *
 * @param device.deviceId begins with its kind, up to a hyphen.
 * @param device.trustMs how long no second factor is to be asked for there, in milliseconds; undefined: as before.
 */
export async function noteDevice(
  tx: Queryable,
  device: { accountId: number; deviceId: string; trustMs?: number | undefined },
): Promise<NotedDevice> {
  const { rows } = await note(tx, [device.accountId, device.deviceId, device.trustMs ?? null])
  const { is_new: isNew = false, has_others: hasOthers = false, new_ones: newOnes = 0 } = rows[0] ?? {}
  return { isKnown: !isNew, hasOthers, newOnes: newOnes + (isNew ? 1 : 0) }
}

const isNoted = statement(
  'known_device_is_noted',
  `select 1 from known_device
    where account_id = $1 and device_id = $2 and last_seen_at > now() - $3::integer * interval '1 millisecond'`,
)

/** Tells whether it was noted within `networkSeenEveryMs` that the account signed in from a network. */
export async function isNetworkNoted(
  db: Queryable,
  network: { accountId: number; deviceId: string },
): Promise<boolean> {
  const { rows } = await isNoted(db, [network.accountId, network.deviceId, networkSeenEveryMs])
  return rows.length > 0
}

/** Forgets the networks of an account beyond those that it is known to sign in from. */
export async function forgetOldNetworks(tx: Queryable, accountId: number): Promise<void> {
  await tx.query(
    `delete from known_device where account_id = $1 and device_id in (
       select device_id from known_device where account_id = $1 and device_id like 'net-%'
        order by last_seen_at desc offset $2)`,
    [accountId, knownNetworksMax],
  )
}

/** Tells whether the account that a DID, handle or e-mail address names signed in with the browser before. */
export async function isKnownBrowser(
  db: Queryable,
  { hostId, identifier, deviceId }: { hostId: number; identifier: string; deviceId: string },
): Promise<boolean> {
  const { rows } = await db.query(
    `select 1 from account a join known_device k on k.account_id = a.id and k.device_id = $2
      where a.host_id = $1 and (a.did = $3 or a.handle = lower($3) or a.email = lower($3))`,
    [hostId, deviceId, identifier],
  )
  return rows.length > 0
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
