import { AccountNotFoundError } from '@rookery/accounts'
import { type BlobState, type Database, type Queryable, statement } from '@rookery/db'
import type { Cid } from '@rookery/syntax'

import { BlobQuotaExceededError, BlobTakenDownError } from './errors.ts'

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

/** Bytes of blobs that an account and its tenant may have; null: any number. */
export type BlobQuota = { accountBytesMax: number | null; tenantBytesMax: number | null }

/** What `store_blob` raises. */
const quotaErrors: Readonly<Record<string, 'account' | 'tenant'>> = { RQ001: 'account', RQ002: 'tenant' }

const columns = 'object_key, mime_type, size, state, takedown_ref'

const store = statement<BlobRow>(
  'blob_store',
  `select ${columns} from store_blob($1, $2, $3, $4, $5, $6, $7)`,
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
 * The account's quota holds exactly. Uploads of other accounts that are stored at the same moment are not seen by the
 * tenant's: together they may exceed it by as much as they are.
 *
 * @throws {BlobQuotaExceededError}
 * @throws {BlobTakenDownError}
 * @throws {AccountNotFoundError} if the account was deleted meanwhile.
 */
export async function storeBlob(pool: Database['pool'], blob: NewBlob, quota: BlobQuota): Promise<BlobRow> {
  const { accountId, cid, objectKey, mimeType, size } = blob
  const { accountBytesMax, tenantBytesMax } = quota
  const values = [accountId, cid, objectKey, mimeType, size, accountBytesMax, tenantBytesMax]
  const { rows } = await store(pool, values).catch(throwQuotaError)
  const row = rows[0]
  if (row === undefined) throw new AccountNotFoundError('Account not found')
  if (row.takedown_ref !== null) throw new BlobTakenDownError('Blob has been takendown, cannot re-upload')
  return row
}

function throwQuotaError(error: unknown): never {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const of = quotaErrors[code]
  throw of === undefined ? error : new BlobQuotaExceededError(of, { cause: error })
}
