import { AccountNotFoundError } from '@rookery/accounts'
import { type BlobState, type Database, type Queryable, inTransaction, statement } from '@rookery/db'
import { must } from '@rookery/std'
import type { Cid } from '@rookery/syntax'

import { BlobTakenDownError } from './errors.ts'

/** A blob of an account, with the key of its object. */
export type BlobRow = {
  object_key: string
  mime_type: string
  size: number
  state: BlobState
  takedown_ref: string | null
}

/** What an upload has put into the store and now wants to be known. */
export type NewBlob = { accountId: number; cid: Cid; objectKey: string; mimeType: string; size: number }

const columns = 'object_key, mime_type, size, state, takedown_ref'

// While this is held, no commit of the account adds or removes references.
const lockRepo = statement<{ account_id: number }>(
  'blob_lock_repo',
  'select account_id from repo where account_id = $1 for share',
)

// While this is held, the account is not deleted. After the repo, as everywhere.
const lockAccount = statement<{ id: number }>(
  'blob_lock_account',
  'select id from account where id = $1 for key share',
)

const insert = statement<BlobRow>(
  'blob_insert',
  `insert into blob (account_id, cid, object_key, mime_type, size, ref_count, state, unreferenced_at)
   select $1, $2, $3, $4, $5, refs,
     case when refs > 0 then 'permanent' else 'temporary' end,
     case when refs > 0 then null else now() end
   from (select count(*)::integer as refs from blob_ref where account_id = $1 and cid = $2) as counted
   on conflict (account_id, cid) do nothing
   returning ${columns}`,
)

const lockRow = statement<BlobRow>(
  'blob_lock',
  `select ${columns} from blob where account_id = $1 and cid = $2 for update`,
)

// The collector has given this row up: it deletes the old object and leaves a row with another object alone.
const revive = statement<BlobRow>(
  'blob_revive',
  `update blob set object_key = $3, mime_type = $4, ref_count = refs, created_at = now(),
     state = case when refs > 0 then 'permanent' else 'temporary' end,
     unreferenced_at = case when refs > 0 then null else now() end
   from (select count(*)::integer as refs from blob_ref where account_id = $1 and cid = $2) as counted
   where account_id = $1 and cid = $2
   returning ${columns}`,
)

const renew = statement(
  'blob_renew',
  `update blob set unreferenced_at = now()
   where account_id = $1 and cid = $2 and unreferenced_at is not null`,
)

const addUsage = statement(
  'blob_add_usage',
  `insert into account_usage as total (account_id, blob_bytes, blob_count) values ($1, $2, 1)
   on conflict (account_id) do update
   set blob_bytes = total.blob_bytes + excluded.blob_bytes, blob_count = total.blob_count + 1`,
)

const find = statement<BlobRow>('blob_find', `select ${columns} from blob where account_id = $1 and cid = $2`)

const findMany = statement<BlobRow & { cid: Buffer }>(
  'blob_find_many',
  `select cid, ${columns} from blob where account_id = $1 and cid = any($2::bytea[])`,
)

/** Returns an account's blob in whatever state, or undefined. */
export async function findBlobRow(db: Queryable, accountId: number, cid: Cid): Promise<BlobRow | undefined> {
  const { rows } = await find(db, [accountId, cid])
  return rows[0]
}

/** Returns those of the blobs that the account has, in whatever state. */
export async function findBlobRows(
  db: Queryable,
  accountId: number,
  cids: readonly Cid[],
): Promise<(BlobRow & { cid: Buffer })[]> {
  const { rows } = await findMany(db, [accountId, cids])
  return rows
}

/**
 * Makes an uploaded object the account's blob and returns its row: of this object, or of an earlier one with the
 * same bytes, which then only starts its age anew. A blob that records already refer to is permanent at once.
 *
 * @throws {BlobTakenDownError}
 * @throws {AccountNotFoundError} if the account was deleted meanwhile.
 */
export async function storeBlob(pool: Database['pool'], blob: NewBlob): Promise<BlobRow> {
  return inTransaction(pool, async (client) => {
    await lockRepo(client, [blob.accountId])
    const account = await lockAccount(client, [blob.accountId])
    if (account.rows.length === 0) throw new AccountNotFoundError('Account not found')
    // The collector may delete the row in conflict before it is locked: then the insert succeeds next time.
    for (;;) {
      const row = (await insertBlob(client, blob)) ?? (await reuseBlob(client, blob))
      if (row) return row
    }
  })
}

async function insertBlob(client: Queryable, blob: NewBlob): Promise<BlobRow | undefined> {
  const { accountId, cid, objectKey, mimeType, size } = blob
  const { rows } = await insert(client, [accountId, cid, objectKey, mimeType, size])
  if (rows[0]) await addUsage(client, [accountId, size])
  return rows[0]
}

async function reuseBlob(client: Queryable, blob: NewBlob): Promise<BlobRow | undefined> {
  const { accountId, cid, objectKey, mimeType } = blob
  const existing = await lockRow(client, [accountId, cid])
  const row = existing.rows[0]
  if (row?.takedown_ref) throw new BlobTakenDownError('Blob has been takendown, cannot re-upload')
  if (row?.state === 'deleting') {
    const revived = await revive(client, [accountId, cid, objectKey, mimeType])
    return must(revived.rows[0], 'the row is locked')
  }
  if (row) await renew(client, [accountId, cid])
  return row
}
