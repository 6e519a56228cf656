import { randomBytes } from 'node:crypto'
import { type Readable, Transform, type TransformCallback, pipeline } from 'node:stream'

import { type Account, findAccountById } from '@rookery/accounts'
import { type BlobStore, exportKey } from '@rookery/blobs'
import { type Queryable, inTransaction } from '@rookery/db'
import { type RunningJob, queues } from '@rookery/jobs'
import { countAccount } from '@rookery/records'
import { DomainError } from '@rookery/std'

import { ArchiveTooLargeError } from '../errors.ts'
import { type ArchiveDeps, type ArchiveEntry, archiveEntries } from '../format/archive-entries.ts'
import { archiveFiles } from '../format/archive-files.ts'
import { archiveBytesMax, progressEveryMs } from '../limits.ts'
import { type SizedEntry, packArchive } from '../tar/pack-archive.ts'
import {
  type ExportProgress,
  failExport,
  findExport,
  findExportKeys,
  finishExport,
  storeExportProgress,
} from './export-queries.ts'

export type BuildExportDeps = ArchiveDeps & {
  /** How long a finished archive is kept, in milliseconds. */
  lifeMs: number
  /** What the host and the tenant are called; undefined once they are gone. */
  placeOf: (account: Account) => Promise<{ host: string; tenant: string } | undefined>
  /** Tells the owner, in the transaction in which the archive becomes ready. */
  announce: (tx: Queryable, account: Account, locale: string | undefined) => Promise<void>
  /** Largest archive, in bytes; default `archiveBytesMax`. */
  bytesMax?: number
}

type Job = Pick<RunningJob<'account-export'>, 'payload' | 'attempt' | 'signal' | 'log' | 'complete'>

/**
 * Builds the archive that an owner asked for, into one object of the store. Every attempt begins anew under a name of its
 * own and deletes what it leaves; only the one that sets the row to ready counts, so that two at once, or a crash
 * anywhere, do no harm: `collectOrphanExports` finds the rest. Memory does not grow with the account but for the list of
 * its blobs. An export that was cancelled meanwhile stops within about a second.
 */
export async function buildExport(deps: BuildExportDeps, job: Job): Promise<void> {
  const { accountId, exportId: id } = job.payload
  const { pool } = deps.db
  const account = await findAccountById(pool, accountId)
  const wanted = await findExport(pool, accountId)
  const place = account && (await deps.placeOf(account))
  if (account === undefined || place === undefined || wanted?.id !== id || wanted.state !== 'building') return
  const objects = new ExportObjects(deps.store, account)
  try {
    const size = await writeArchive(deps, job, { account, place, objects })
    await inTransaction(pool, async (tx) => {
      const isWanted = await finishExport(
        tx,
        { accountId, id },
        { objectKey: objects.archive, size, lifeMs: deps.lifeMs },
      )
      if (!isWanted) throw new NotWantedError()
      await deps.announce(tx, account, job.payload.locale)
      await job.complete(tx)
    })
  } catch (error) {
    // A commit whose answer was lost has made it ready all the same. Where that cannot be found out, it stays.
    const kept = await findExportKeys(pool, account.host_id, [objects.archive])
    if (kept.size === 0) await objects.delete(objects.archive)
    if (error instanceof NotWantedError) return
    const isOver =
      error instanceof ArchiveTooLargeError || job.attempt >= queues['account-export'].attemptsMax
    if (isOver && !job.signal.aborted) await failExport(pool, { accountId, id }, sentenceOf(error))
    if (!(error instanceof ArchiveTooLargeError)) throw error
  } finally {
    await objects.delete(objects.repo)
  }
}

async function writeArchive(
  deps: BuildExportDeps,
  job: Job,
  of: { account: Account; place: { host: string; tenant: string }; objects: ExportObjects },
): Promise<number> {
  const { account, place, objects } = of
  const { signal } = job
  const { records, importedBlobs } = await countAccount(deps.db.pool, account.id)
  const progress = new Progress(deps, job, { recordsTotal: records, blobsTotal: importedBlobs })
  await progress.store()
  const entries = archiveEntries(deps, { account, ...place }, signal)
  const tar = packArchive(sized(deps.store, entries, { objects, progress, signal }))
  const size = await deps.store.put(objects.archive, tar, signal)
  await progress.store()
  return size
}

/** A tar says how long a file is before it: the repo, of which nobody knows, is laid aside first. */
async function* sized(
  store: BlobStore,
  entries: AsyncIterable<ArchiveEntry>,
  { objects, progress, signal }: { objects: ExportObjects; progress: Progress; signal: AbortSignal },
): AsyncGenerator<SizedEntry, void> {
  for await (const entry of entries) {
    const { name, size } = entry
    const body = progress.watch(entry.body)
    if (size !== undefined) {
      yield { name, size, body }
      progress.entryDone(name)
      continue
    }
    await store.put(objects.repo, body, signal)
    progress.entryDone(name)
    yield { name, ...(await store.get(objects.repo)) }
  }
}

/** The objects of one attempt. */
class ExportObjects {
  readonly archive: string
  readonly repo: string
  readonly #store: BlobStore

  constructor(store: BlobStore, { id: accountId, host_id: hostId }: Account) {
    const name = randomBytes(16).toString('hex')
    this.#store = store
    this.archive = exportKey({ hostId, accountId, name: `archive_${name}` })
    this.repo = exportKey({ hostId, accountId, name: `repo_${name}` })
  }

  /** Deletes one; what cannot be deleted now is found as an orphan. */
  async delete(key: string): Promise<void> {
    try {
      await this.#store.delete(key)
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
    }
  }
}

/** Counts what goes by, tells the row now and then, and stops who goes on unwanted, or too far. */
class Progress {
  readonly #deps: Pick<BuildExportDeps, 'db' | 'bytesMax'>
  readonly #of: { accountId: number; id: string }
  readonly #state: ExportProgress
  #storedAtMs = 0

  constructor(
    deps: Pick<BuildExportDeps, 'db' | 'bytesMax'>,
    { payload }: Job,
    totals: Pick<ExportProgress, 'recordsTotal' | 'blobsTotal'>,
  ) {
    this.#deps = deps
    this.#of = { accountId: payload.accountId, id: payload.exportId }
    this.#state = { ...totals, recordsDone: 0, blobsDone: 0, bytesDone: 0 }
  }

  watch(body: Readable): Readable {
    const meter = new Transform({
      transform: (chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) => {
        this.#count(chunk.length).then(() => done(null, chunk), done)
      },
    })
    // Errors and ends of one are the other's.
    pipeline(body, meter, () => undefined)
    return meter
  }

  entryDone(name: string): void {
    if (name === archiveFiles.repo) this.#state.recordsDone = this.#state.recordsTotal ?? 0
    if (name.startsWith(`${archiveFiles.blobs}/`)) this.#state.blobsDone++
  }

  async store(): Promise<void> {
    this.#storedAtMs = performance.now()
    if (!(await storeExportProgress(this.#deps.db.pool, this.#of, this.#state))) throw new NotWantedError()
  }

  async #count(bytes: number): Promise<void> {
    this.#state.bytesDone += bytes
    const max = this.#deps.bytesMax ?? archiveBytesMax
    if (this.#state.bytesDone > max) throw new ArchiveTooLargeError(`An archive has at most ${max} bytes`)
    if (performance.now() - this.#storedAtMs > progressEveryMs) await this.store()
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof ArchiveTooLargeError ? error.message : 'Something went wrong here.'
}

class NotWantedError extends Error {
  override readonly name = 'NotWantedError'
}
