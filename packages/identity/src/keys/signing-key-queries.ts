import { type Queryable, statement } from '@rookery/db'

import { reservedKeyLifeMs } from '../limits.ts'

/** A private key as it is stored. */
export type StoredKey = { did_key: string; wrapped: Buffer }

/** A stored key, and how many the account had before it. */
export type VersionedKey = StoredKey & { version: number }

const findMany = statement<VersionedKey & { index: number }>(
  'signing_keys_find',
  `select w.n::integer - 1 as index, k.*
     from unnest($1::bigint[]) with ordinality as w(account_id, n)
     cross join lateral (select did_key, wrapped, version from signing_key where account_id = w.account_id limit 1) k`,
)

/** Returns the accounts' signing keys in the order of the question; undefined where there is none. */
export async function findSigningKeys(
  db: Queryable,
  accountIds: readonly number[],
): Promise<(VersionedKey | undefined)[]> {
  const { rows } = await findMany(db, [accountIds])
  const found: (VersionedKey | undefined)[] = accountIds.map(() => undefined)
  for (const { index, ...key } of rows) found[index] = key
  return found
}

const insert = statement(
  'signing_key_insert',
  'insert into signing_key (account_id, did_key, wrapped) values ($1, $2, $3)',
)

/** Stores the account's signing key. */
export async function insertSigningKey(tx: Queryable, accountId: number, key: StoredKey): Promise<void> {
  await insert(tx, [accountId, key.did_key, key.wrapped])
}

/** Returns the account's public signing key as did:key, or undefined if it has none here. */
export async function findDidKey(db: Queryable, accountId: number): Promise<string | undefined> {
  return (await findSigningKeys(db, [accountId]))[0]?.did_key
}

/** Returns the key that is to follow the account's while a rotation has not ended, as did:key. */
export async function findNextDidKey(db: Queryable, accountId: number): Promise<string | undefined> {
  const { rows } = await db.query<{ next_did_key: string | null }>(
    'select next_did_key from signing_key where account_id = $1',
    [accountId],
  )
  return rows[0]?.next_did_key ?? undefined
}

/** Stores the key that is to follow the account's, unless there is one; returns the one that is, undefined without an account. */
export async function insertNextKey(
  db: Queryable,
  accountId: number,
  key: StoredKey,
): Promise<StoredKey | undefined> {
  const { rows } = await db.query<StoredKey>(
    `update signing_key set next_did_key = coalesce(next_did_key, $2), next_wrapped = coalesce(next_wrapped, $3)
      where account_id = $1 returning next_did_key as did_key, next_wrapped as wrapped`,
    [accountId, key.did_key, key.wrapped],
  )
  return rows[0]
}

/** Makes the next key the account's, if it is still this one, and returns its version. */
export async function promoteNextKey(
  tx: Queryable,
  accountId: number,
  didKey: string,
): Promise<number | undefined> {
  const { rows } = await tx.query<{ version: number }>(
    `update signing_key set did_key = next_did_key, wrapped = next_wrapped, version = version + 1,
         next_did_key = null, next_wrapped = null, created_at = now()
      where account_id = $1 and next_did_key = $2 returning version`,
    [accountId, didKey],
  )
  return rows[0]?.version
}

/** Drops the host's reserved keys that waited too long, and returns how many wait still: with a DID, or without one. */
export async function sweepReservedKeys(
  tx: Queryable,
  hostId: number,
  options: { withDid: boolean },
): Promise<number> {
  await tx.query(
    `delete from reserved_signing_key
      where host_id = $1 and created_at <= now() - $2::integer * interval '1 millisecond'`,
    [hostId, reservedKeyLifeMs],
  )
  const { rows } = await tx.query<{ count: number }>(
    'select count(*) as count from reserved_signing_key where host_id = $1 and (did is not null) = $2',
    [hostId, options.withDid],
  )
  return rows[0]?.count ?? 0
}

/** Stores a reserved key; returns the one that the DID already has here instead, if it has one. */
export async function insertReservedKey(
  tx: Queryable,
  key: StoredKey & { hostId: number; did: string | null },
): Promise<string> {
  const { rows } = await tx.query<{ did_key: string }>(
    `insert into reserved_signing_key (host_id, did_key, did, wrapped) values ($1, $2, $3, $4)
     on conflict (host_id, did) do update set did = excluded.did returning did_key`,
    [key.hostId, key.did_key, key.did, key.wrapped],
  )
  return rows[0]?.did_key ?? key.did_key
}

/** Returns the key that is reserved for the DID on the host, or undefined. */
export async function findReservedKey(
  db: Queryable,
  reserved: { hostId: number; did: string },
): Promise<StoredKey | undefined> {
  const { rows } = await db.query<StoredKey>(
    'select did_key, wrapped from reserved_signing_key where host_id = $1 and did = $2',
    [reserved.hostId, reserved.did],
  )
  return rows[0]
}

/** Removes a reserved key. */
export async function deleteReservedKey(
  tx: Queryable,
  reserved: { hostId: number; didKey: string },
): Promise<void> {
  await tx.query('delete from reserved_signing_key where host_id = $1 and did_key = $2', [
    reserved.hostId,
    reserved.didKey,
  ])
}
