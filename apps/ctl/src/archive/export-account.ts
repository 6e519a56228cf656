import { createWriteStream } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

import { type Account, getPreferences } from '@rookery/accounts'
import type { BlobStore } from '@rookery/blobs'
import type { Database } from '@rookery/db'
import { type RepoExporter, getServableBlob, listBlobs, listBlobsMax, openBlob } from '@rookery/records'
import { cidToString } from '@rookery/syntax'

import { type ArchivedAccount, archiveFiles } from './archive.ts'

export type ExportDeps = { db: Database; store: BlobStore; exporter: RepoExporter }

/**
 * Writes an account's archive into a directory: repo, preferences, the blobs that may be served, and what the account
 * is. Everything streams. The archive counts once it is complete; what an earlier call left is written over.
 */
export async function exportAccount(
  deps: ExportDeps,
  account: Account,
  to: { directory: string; host: string; tenant: string },
): Promise<ArchivedAccount> {
  const { directory, host, tenant } = to
  await mkdir(join(directory, archiveFiles.blobs), { recursive: true })
  const { id, did, handle, email, status, created_at, host_id: hostId } = account
  const repo = await deps.exporter.open({ hostId, did }, { allowInactive: true })
  await pipeline(repo, createWriteStream(join(directory, archiveFiles.repo)))
  const preferences = await getPreferences(deps.db.pool, id, { isFullAccess: true })
  await writeFile(join(directory, archiveFiles.preferences), JSON.stringify(preferences))
  const archive: ArchivedAccount = {
    version: 1,
    did,
    handle,
    email,
    host,
    tenant,
    status,
    createdAt: created_at.toISOString(),
    exportedAt: new Date().toISOString(),
    blobs: await exportBlobs(deps, id, directory),
  }
  const file = join(directory, archiveFiles.account)
  await writeFile(`${file}.part`, `${JSON.stringify(archive, null, 2)}\n`)
  await rename(`${file}.part`, file)
  return archive
}

async function exportBlobs(
  { db, store }: ExportDeps,
  accountId: number,
  directory: string,
): Promise<ArchivedAccount['blobs']> {
  const blobs: ArchivedAccount['blobs'] = []
  for (let cursor = undefined, more = true; more;) {
    const page = await listBlobs(db.pool, accountId, { cursor, limit: listBlobsMax })
    for (const cid of page) {
      const blob = await getServableBlob(db.pool, accountId, cid)
      const { body } = await openBlob(store, blob)
      await pipeline(body, createWriteStream(join(directory, archiveFiles.blobs, cidToString(cid))))
      blobs.push({ cid: cidToString(cid), mimeType: blob.mimeType, size: blob.size })
    }
    cursor = page.at(-1)
    more = page.length === listBlobsMax
  }
  return blobs
}
