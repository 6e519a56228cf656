import { Readable, Transform, type TransformCallback, pipeline } from 'node:stream'

import { type Account, getPreferences } from '@rookery/accounts'
import type { BlobStore } from '@rookery/blobs'
import type { Database } from '@rookery/db'
import {
  BlobNotFoundError,
  type RepoExporter,
  getServableBlob,
  listBlobs,
  listBlobsMax,
  openBlob,
} from '@rookery/records'
import { type Cid, cidToString } from '@rookery/syntax'

import { ArchiveTooLargeError } from '../errors.ts'
import { archiveBlobsMax } from '../limits.ts'
import { type ArchivedAccount, archiveFiles } from './archive-files.ts'
import { readmeOf } from './readme.ts'

export type ArchiveDeps = { db: Database; store: BlobStore; exporter: RepoExporter }

/** A file of an archive that is being made. Whoever gets it reads `body` to its end or destroys it. */
export type ArchiveEntry = {
  /** Its path in the archive. */
  name: string
  /** In bytes; undefined until it has been read, for the repo. */
  size: number | undefined
  body: Readable
}

/** Whose archive it is, and where the account lives. */
export type ArchiveSubject = { account: Account; host: string; tenant: string }

/**
 * Yields the files of an account's archive one after the other, each read as it is taken: README, preferences, repo, the
 * blobs that may be served, and at last what the account is. A blob that goes meanwhile is left out. Ends with what the
 * last file says.
 *
 * @throws {ArchiveTooLargeError} above `archiveBlobsMax` blobs.
 * @throws whatever the exporter and the store throw.
 */
export async function* archiveEntries(
  deps: ArchiveDeps,
  { account, host, tenant }: ArchiveSubject,
  signal?: AbortSignal,
): AsyncGenerator<ArchiveEntry, ArchivedAccount> {
  const { id, did, handle, email, status, created_at, host_id: hostId } = account
  yield textEntry(archiveFiles.readme, readmeOf({ did, handle, host }))
  const preferences = await getPreferences(deps.db.pool, id, { isFullAccess: true })
  yield textEntry(archiveFiles.preferences, JSON.stringify(preferences))
  const address = { hostId, did }
  const { body, head, rev } = await deps.exporter.openAt(address, {
    allowInactive: true,
    ...(signal === undefined ? {} : { signal }),
  })
  let size = 0
  const count = new Transform({
    transform: (chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) => {
      size += chunk.length
      done(null, chunk)
    },
  })
  pipeline(body, count, () => undefined)
  yield { name: archiveFiles.repo, size: undefined, body: count }
  const blobs: ArchivedAccount['blobs'] = []
  for await (const entry of blobEntries(deps, id)) {
    if (blobs.length === archiveBlobsMax)
      throw new ArchiveTooLargeError(`An archive has at most ${archiveBlobsMax} files`)
    blobs.push(entry.listed)
    yield entry
  }
  const archived: ArchivedAccount = {
    version: 1,
    did,
    handle,
    email,
    host,
    tenant,
    status,
    createdAt: created_at.toISOString(),
    exportedAt: new Date().toISOString(),
    repo: { head: cidToString(head), rev, size },
    blobs,
  }
  yield textEntry(archiveFiles.account, `${JSON.stringify(archived, null, 2)}\n`)
  return archived
}

async function* blobEntries(
  { db, store }: ArchiveDeps,
  accountId: number,
): AsyncGenerator<ArchiveEntry & { listed: ArchivedAccount['blobs'][number] }, void> {
  for (let cursor: Cid | undefined, more = true; more;) {
    const page: Cid[] = await listBlobs(db.pool, accountId, { cursor, limit: listBlobsMax })
    for (const cid of page) {
      const opened = await findBlob({ db, store }, accountId, cid)
      if (opened === undefined) continue
      const { mimeType, size, body } = opened
      const name = cidToString(cid)
      yield { name: `${archiveFiles.blobs}/${name}`, size, body, listed: { cid: name, mimeType, size } }
    }
    cursor = page.at(-1)
    more = page.length === listBlobsMax
  }
}

async function findBlob(
  { db, store }: Pick<ArchiveDeps, 'db' | 'store'>,
  accountId: number,
  cid: Cid,
): Promise<{ mimeType: string; size: number; body: Readable } | undefined> {
  try {
    const { mimeType, ...blob } = await getServableBlob(db.pool, accountId, cid)
    const { size, body } = await openBlob(store, { mimeType, ...blob })
    return { mimeType, size, body }
  } catch (error) {
    if (error instanceof BlobNotFoundError) return undefined
    throw error
  }
}

function textEntry(name: string, text: string): ArchiveEntry {
  const bytes = Buffer.from(text)
  return { name, size: bytes.length, body: Readable.from([bytes], { objectMode: false }) }
}
