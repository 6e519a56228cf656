import { type Queryable, statement } from '@rookery/db'

import type { Account, AccountRef, AccountWithPassword } from './account.ts'

/** What an `Account` is read from. */
export const columns = `id, host_id, tenant_id, did, handle, email, email_confirmed_at, email_auth_factor,
  invites_disabled, invite_note, created_at, deactivated_at, delete_after, suspended_at, takedown_ref, session_epoch,
  case when takedown_ref is not null then 'takendown'
       when suspended_at is not null then 'suspended'
       when deactivated_at is not null then 'deactivated'
       else 'active' end as status`

const byDid = statement<Account>(
  'account_by_did',
  `select ${columns} from account where host_id = $1 and did = $2`,
)
const byHandle = statement<Account>(
  'account_by_handle',
  `select ${columns} from account where host_id = $1 and handle = $2`,
)
const loginByDid = statement<AccountWithPassword>(
  'account_login_by_did',
  `select ${columns}, password_hash from account where host_id = $1 and did = $2`,
)
const loginByHandle = statement<AccountWithPassword>(
  'account_login_by_handle',
  `select ${columns}, password_hash from account where host_id = $1 and handle = $2`,
)
const loginByEmail = statement<AccountWithPassword>(
  'account_login_by_email',
  `select ${columns}, password_hash from account where host_id = $1 and email = $2`,
)

/** Returns the host's account of this DID, whatever its status, or undefined. */
export async function findAccountByDid(db: Queryable, ref: AccountRef): Promise<Account | undefined> {
  const { rows } = await byDid(db, [ref.hostId, ref.did])
  return rows[0]
}

const manyByDid = statement<Account & { index: number }>(
  'accounts_by_did',
  `select w.n::integer - 1 as index, a.*
     from unnest($1::integer[], $2::text[]) with ordinality as w(host_id, did, n)
     cross join lateral (select ${columns} from account where host_id = w.host_id and did = w.did limit 1) a`,
)

/** Returns the hosts' accounts of these DIDs, in the order of the question; undefined where there is none. */
export async function findAccountsByDid(
  db: Queryable,
  refs: readonly AccountRef[],
): Promise<(Account | undefined)[]> {
  const { rows } = await manyByDid(db, [refs.map(({ hostId }) => hostId), refs.map(({ did }) => did)])
  const found: (Account | undefined)[] = refs.map(() => undefined)
  for (const { index, ...account } of rows) found[index] = account
  return found
}

/** Returns the host's account with this handle (in lower case), whatever its status, or undefined. */
export async function findAccountByHandle(
  db: Queryable,
  hostId: number,
  handle: string,
): Promise<Account | undefined> {
  const { rows } = await byHandle(db, [hostId, handle])
  return rows[0]
}

/** Returns the host's account with this e-mail address (in lower case), whatever its status, or undefined. */
export async function findAccountByEmail(
  db: Queryable,
  hostId: number,
  email: string,
): Promise<Account | undefined> {
  const { rows } = await db.query<Account>(
    `select ${columns} from account where host_id = $1 and email = $2`,
    [hostId, email],
  )
  return rows[0]
}

/** Returns the host's account that a DID or handle names, whatever its status, or undefined. */
export function findAccount(
  db: Queryable,
  hostId: number,
  atIdentifier: string,
): Promise<Account | undefined> {
  return atIdentifier.startsWith('did:')
    ? findAccountByDid(db, { hostId, did: atIdentifier })
    : findAccountByHandle(db, hostId, atIdentifier.toLowerCase())
}

/** Returns the host's account that a login names by DID, handle or e-mail address, with its password hash. */
export async function findLogin(
  db: Queryable,
  hostId: number,
  identifier: string,
): Promise<AccountWithPassword | undefined> {
  const find = identifier.includes('@')
    ? loginByEmail
    : identifier.startsWith('did:')
      ? loginByDid
      : loginByHandle
  const { rows } = await find(db, [hostId, identifier])
  return rows[0]
}

/**
 * Returns which of the hosts has an active account with this handle (in lower case), or undefined. At most one has
 * it for long: the handle names one DID, and that is active where it lives.
 */
export async function findHostOfHandle(
  db: Queryable,
  hostIds: readonly number[],
  handle: string,
): Promise<number | undefined> {
  const { rows } = await db.query<{ host_id: number }>(
    `select host_id from account
      where host_id = any($1::integer[]) and handle = $2
        and takedown_ref is null and suspended_at is null and deactivated_at is null limit 1`,
    [hostIds, handle],
  )
  return rows[0]?.host_id
}

/** Returns the account with this row id, or undefined. */
export async function findAccountById(db: Queryable, accountId: number): Promise<Account | undefined> {
  const { rows } = await db.query<Account>(`select ${columns} from account where id = $1`, [accountId])
  return rows[0]
}

const taken = statement<{ did: boolean; handle: boolean; email: boolean }>(
  'account_taken',
  `select exists (select from account where host_id = $1 and did = $2) as did,
          exists (select from account where host_id = $1 and handle = $3) as handle,
          exists (select from account where host_id = $1 and email = $4) as email`,
)

/** Returns whether any account of the host has this DID, this handle or this e-mail address. */
export async function findTaken(
  db: Queryable,
  hostId: number,
  wanted: { did: string; handle: string; email: string | null },
): Promise<{ did: boolean; handle: boolean; email: boolean }> {
  const { rows } = await taken(db, [hostId, wanted.did, wanted.handle, wanted.email])
  return rows[0] ?? { did: false, handle: false, email: false }
}

/** Stores a new password hash. */
export async function updatePasswordHash(
  tx: Queryable,
  accountId: number,
  passwordHash: string,
): Promise<void> {
  await tx.query('update account set password_hash = $2 where id = $1', [accountId, passwordHash])
}

/** Stores a new handle. One that is taken is a unique violation of PostgreSQL. */
export async function updateAccountHandle(tx: Queryable, accountId: number, handle: string): Promise<void> {
  await tx.query('update account set handle = $2 where id = $1', [accountId, handle])
}

/** Says whether the account may invite others, and why. */
export async function updateInvitesDisabled(
  tx: Queryable,
  accountId: number,
  { isDisabled, note }: { isDisabled: boolean; note: string | null },
): Promise<void> {
  await tx.query('update account set invites_disabled = $2, invite_note = $3 where id = $1', [
    accountId,
    isDisabled,
    note,
  ])
}

/** Locks the account until the transaction ends and returns it, or undefined if it is gone. */
export async function lockAccount(tx: Queryable, accountId: number): Promise<Account | undefined> {
  const { rows } = await tx.query<Account>(`select ${columns} from account where id = $1 for update`, [
    accountId,
  ])
  return rows[0]
}
