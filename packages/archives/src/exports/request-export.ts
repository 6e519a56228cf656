import { randomBytes } from 'node:crypto'

import { type Account, appendAuditEntry } from '@rookery/accounts'
import { type BlobObject, BlobObjectNotFoundError, type BlobStore, type ByteRange } from '@rookery/blobs'
import { type Database, type Queryable, inTransaction } from '@rookery/db'
import { addJob } from '@rookery/jobs'
import { must } from '@rookery/std'

import { ExportExistsError, ExportNotFoundError } from '../errors.ts'
import { type AccountExport, deleteExportRow, findExport, insertExport } from './export-queries.ts'

/**
 * Asks for an archive of the account: a worker builds it. That it was asked for is in the audit log. Wake the workers
 * afterwards.
 *
 * @param options.lifeMs how long it is kept, in milliseconds.
 * @param options.locale language of the mail that tells of it.
 * @throws {ExportExistsError} if one is being built, or kept, already.
 */
export async function requestExport(
  db: Pick<Database, 'pool'>,
  account: Account,
  options: { lifeMs: number; locale?: string | undefined },
): Promise<void> {
  const { lifeMs, locale } = options
  const id = randomBytes(16).toString('hex')
  const { id: accountId, host_id: hostId, tenant_id: tenantId } = account
  await inTransaction(db.pool, async (tx) => {
    if (!(await insertExport(tx, { account, id, lifeMs })))
      throw new ExportExistsError('There is an archive already')
    const payload = { hostId, tenantId, accountId, exportId: id, ...(locale === undefined ? {} : { locale }) }
    await addJob(tx, { queue: 'account-export', payload })
    await note(tx, account, 'account.export.ask')
  })
}

/**
 * Deletes the account's archive, or stops the building of it. The object goes first: as long as it may be there, the
 * row says where.
 *
 * @throws {ExportNotFoundError} if there is none.
 * @throws {BlobStoreUnavailableError} Nothing has changed then.
 */
export async function deleteExport(
  deps: { db: Pick<Database, 'pool'>; store: Pick<BlobStore, 'delete'> },
  account: Account,
): Promise<void> {
  const { pool } = deps.db
  const found = await findExport(pool, account.id)
  if (found === undefined) throw new ExportNotFoundError('There is no archive')
  if (found.objectKey !== null) await deps.store.delete(found.objectKey)
  await inTransaction(pool, async (tx) => {
    await deleteExportRow(tx, { accountId: account.id, id: found.id })
    await note(tx, account, 'account.export.delete')
  })
}

/**
 * Returns the account's archive if it can be had now.
 *
 * @throws {ExportNotFoundError}
 */
export async function getReadyExport(
  db: Queryable,
  accountId: number,
): Promise<AccountExport & { objectKey: string; size: number }> {
  const found = await findExport(db, accountId)
  if (found?.state !== 'ready') throw new ExportNotFoundError('There is no archive')
  return { ...found, objectKey: must(found.objectKey), size: must(found.size) }
}

/**
 * Opens the bytes of an archive, or a range of them; the caller reads them to their end or destroys them. Reading from
 * the beginning is noted in the audit log.
 *
 * @throws {ExportNotFoundError} if it was deleted at this moment.
 * @throws {BlobStoreUnavailableError}
 */
export async function openExport(
  deps: { db: Pick<Database, 'pool'>; store: Pick<BlobStore, 'get'> },
  account: Account,
  { objectKey, range }: { objectKey: string; range?: ByteRange | undefined },
): Promise<BlobObject> {
  if (range === undefined || range.start === 0) await note(deps.db.pool, account, 'account.export.download')
  try {
    return await deps.store.get(objectKey, range)
  } catch (error) {
    if (!(error instanceof BlobObjectNotFoundError)) throw error
    throw new ExportNotFoundError('There is no archive', { cause: error })
  }
}

function note(tx: Queryable, account: Account, action: string): Promise<void> {
  const { host_id: hostId, tenant_id: tenantId, did } = account
  return appendAuditEntry(tx, { hostId, tenantId, did, actor: did, action, detail: {} })
}
