import type { Queryable } from '@rookery/db'

/** A passkey as its owner sees it. */
export type Passkey = { credentialId: string; name: string; createdAt: Date; lastUsedAt: Date | null }

/** A passkey as signatures are checked with it. */
export type PasskeyRow = {
  account_id: number
  credential_id: string
  public_key: Buffer
  counter: number
  transports: string[]
}

/** Stores a passkey; false if the host has one of that id. */
export async function insertPasskey(
  tx: Queryable,
  passkey: PasskeyRow & { host_id: number; name: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into passkey (account_id, host_id, credential_id, public_key, counter, transports, name)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
    [
      passkey.account_id,
      passkey.host_id,
      passkey.credential_id,
      passkey.public_key,
      passkey.counter,
      passkey.transports,
      passkey.name,
    ],
  )
  return rowCount === 1
}

/** Returns the account's passkeys, the oldest first. */
export async function listPasskeys(db: Queryable, accountId: number): Promise<Passkey[]> {
  const { rows } = await db.query<Passkey>(
    `select credential_id as "credentialId", name, created_at as "createdAt", last_used_at as "lastUsedAt"
       from passkey where account_id = $1 order by created_at, credential_id`,
    [accountId],
  )
  return rows
}

/** Returns the host's passkey of this id, or undefined. */
export async function findPasskey(
  db: Queryable,
  hostId: number,
  credentialId: string,
): Promise<PasskeyRow | undefined> {
  const { rows } = await db.query<PasskeyRow>(
    `select account_id, credential_id, public_key, counter, transports from passkey
      where host_id = $1 and credential_id = $2`,
    [hostId, credentialId],
  )
  return rows[0]
}

/** Notes a use; false if the counter did not rise, as it must for those that count: the key was copied. */
export async function updatePasskeyUse(
  db: Queryable,
  passkey: { accountId: number; credentialId: string; counter: number },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update passkey set counter = $3, last_used_at = now()
      where account_id = $1 and credential_id = $2 and (counter < $3 or (counter = 0 and $3 = 0))`,
    [passkey.accountId, passkey.credentialId, passkey.counter],
  )
  return rowCount === 1
}

/** Deletes the passkey and tells whether it was there. */
export async function deletePasskey(
  tx: Queryable,
  accountId: number,
  credentialId: string,
): Promise<boolean> {
  const { rowCount } = await tx.query('delete from passkey where account_id = $1 and credential_id = $2', [
    accountId,
    credentialId,
  ])
  return rowCount === 1
}

/** Notes that a challenge was answered; false if it had been. */
export async function insertUsedChallenge(
  db: Queryable,
  challenge: { hostId: number; hash: Buffer; expiresAt: Date },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into passkey_challenge (host_id, challenge_hash, expires_at) values ($1, $2, $3) on conflict do nothing`,
    [challenge.hostId, challenge.hash, challenge.expiresAt],
  )
  return rowCount === 1
}
