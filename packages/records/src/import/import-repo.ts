/**
 * Replaces an account's repo by an uploaded one (SPEC IMP-1…6, REFERENCE 3.6).
 *
 * Everything happens in one transaction on one connection, so a crash at any moment leaves nothing behind and the
 * job is simply run again:
 *
 * 1. The CAR goes into a temporary table, block by block (`stageCar`). No row that others use is touched.
 * 2. The commit is checked and the whole tree verified over the CAR and the repo's own nodes; that gives the paths of
 *    its records, what of them is new, and the base pack (`planImport`).
 * 3. The repo's row is locked. If a write or a compaction came first, step 2 is done once more, now under the lock.
 *    Records, blob references and packs are replaced, and the tree is signed anew with our key at a rev above both
 *    the imported one and our last. An active account's #sync event and the job's end are in the same transaction.
 *
 * The bytes of records never come back out of the database, and nothing grows with the repo but the base pack. The
 * lock is held for the replacement only: about a second for 50,000 records.
 */
import { BlobObjectNotFoundError, type BlobStore } from '@rookery/blobs'
import { type Connection, type Database, type Queryable, inTransaction } from '@rookery/db'
import { appendEvent } from '@rookery/events'
import { JobRefusedError } from '@rookery/jobs'
import {
  type Commit,
  InvalidCarError,
  InvalidCommitError,
  InvalidNodeError,
  MissingBlockError,
  RepoLimitError,
  decodeCommit,
  signCommit,
} from '@rookery/repo'
import { DomainError } from '@rookery/std'
import { type Tid, type TidClock, cidEquals, tidMicros } from '@rookery/syntax'
import { type Logger, businessEvent } from '@rookery/telemetry'

import { updateHead } from '../commit/head-queries.ts'
import { syncFrame } from '../commit/repo-lifecycle.ts'
import type { SignerFor } from '../commit/signer-for.ts'
import { InvalidImportError, RepoNotFoundError, RepoSuspendedError, RepoTakendownError } from '../errors.ts'
import { notActive } from '../repo-status.ts'
import { type RepoHead, findHead, lockHead, replaceBase } from '../storage/storage-queries.ts'
import { beginImport, findStagedBlocks, replaceRecords } from './import-queries.ts'
import { type ImportProgress, ProgressReporter } from './import-progress.ts'
import { importRevAheadMicrosMax } from './limits.ts'
import { type ImportPlan, planImport } from './plan-import.ts'
import { type StagedCar, stageCar } from './stage-car.ts'
import { deleteUpload } from './upload-import.ts'

/** What importing takes. */
export type ImportDeps = {
  pool: Database['pool']
  store: Pick<BlobStore, 'get' | 'delete'>
  /** Makes revs. */
  clock: TidClock
  signerFor: SignerFor
  /** Largest CAR, and most bytes of records in it. */
  bytesMax: number
  /** Called after a #sync event was stored: wakes the sequencer. */
  onStored: () => void
  /** The clock that imported revs are held against, in microseconds since the Unix epoch. Default the system's. */
  nowMicros?: () => number
}

/** An upload to import, and the job that it is. */
export type ImportJob = {
  accountId: number
  /** Where the CAR lies in the store. */
  objectKey: string
  signal: AbortSignal
  log: Logger
  /** Is told now and then how far the import has come. Must not fail. */
  report: (progress: ImportProgress) => Promise<void>
  /** Ends the job in the transaction of the import. */
  complete: (tx: Queryable, result: ImportResult) => Promise<void>
}

/** What an import has done. */
export type ImportResult = {
  rev: Tid
  /** Records of the repo now. */
  records: number
  /** Those of them that came or changed. */
  changes: number
}

/** What says that no further attempt will do. */
const refusals = [
  InvalidCarError,
  InvalidCommitError,
  InvalidNodeError,
  InvalidImportError,
  MissingBlockError,
  RepoLimitError,
  RepoNotFoundError,
  RepoSuspendedError,
  RepoTakendownError,
]

/**
 * Imports an upload; see the module's header. The upload is deleted once it has been imported or refused.
 *
 * @throws {JobRefusedError} if it can't be imported: `reason` is the code of the error that is its cause.
 */
export async function importRepo(deps: ImportDeps, job: ImportJob): Promise<ImportResult> {
  try {
    const result = await inTransaction(deps.pool, (connection) => runImport(deps, job, connection))
    deps.onStored()
    await deleteUpload(deps.store, job.objectKey)
    businessEvent('repoImported', { account: job.accountId, ...result })
    return result
  } catch (error) {
    if (!(error instanceof DomainError) || !refusals.some((kind) => error instanceof kind)) throw error
    await deleteUpload(deps.store, job.objectKey)
    throw new JobRefusedError(error.code, error.message, { cause: error })
  }
}

async function runImport(deps: ImportDeps, job: ImportJob, connection: Connection): Promise<ImportResult> {
  const { accountId, signal, log } = job
  const start = requireImportable(await findHead(connection, accountId), accountId)
  const progress = new ProgressReporter(job.report)
  await beginImport(connection)
  const staged = await stageUpload(deps, job, { connection, progress })
  const commit = await readCommit(connection, staged, start.did, deps.nowMicros)
  const plan = (head: RepoHead): Promise<ImportPlan> => {
    const rev = deps.clock.next(later(head.rev, commit.rev))
    return planImport(connection, { head, staged, commit, rev, bytesMax: deps.bytesMax, signal, progress })
  }
  const first = await plan(start).catch((error: unknown) => ({ error }))
  const head = requireImportable(await lockHead(connection, accountId), accountId)
  const isSame = cidEquals(head.head, start.head) && head.baseRev === start.baseRev
  if (!isSame) log.info({ account: accountId }, 'import: the repo has changed meanwhile')
  const { rev, base, totals } = isSame ? unwrap(first) : await plan(head)
  await progress.begin('replacing')
  await replaceRecords(connection, accountId, rev)
  await replaceBase(connection, accountId, base)
  const { keyVersion } = head
  const sign = await deps.signerFor(head, keyVersion)
  const signed = await signCommit({ did: head.did, rev, data: commit.data }, sign)
  await updateHead(connection, { accountId, rev, data: commit.data, commit: signed, keyVersion })
  if (head.status === 'active') {
    const frame = syncFrame(head.did, rev, signed)
    await appendEvent(connection, { hostId: head.hostId, accountId, kind: 'sync', frame })
  }
  const result = { rev, records: totals.records, changes: totals.changes }
  await job.complete(connection, result)
  return result
}

async function stageUpload(
  deps: ImportDeps,
  job: ImportJob,
  { connection, progress }: { connection: Connection; progress: ProgressReporter },
): Promise<StagedCar> {
  const { bytesMax } = deps
  const { signal } = job
  try {
    const { body } = await deps.store.get(job.objectKey)
    try {
      return await stageCar(connection, body, { bytesMax, signal, progress })
    } finally {
      body.destroy()
    }
  } catch (error) {
    if (!(error instanceof BlobObjectNotFoundError)) throw error
    throw new InvalidImportError('The upload is gone, please try again', { cause: error })
  }
}

/** Returns the CAR's commit after checking whose it is and when it is from; who signed it does not matter (SPEC IMP-1). */
async function readCommit(
  connection: Connection,
  { root }: StagedCar,
  did: string,
  nowMicros: () => number = () => Date.now() * 1_000,
): Promise<Commit> {
  const [block] = await findStagedBlocks(connection, [root])
  if (block === undefined) throw new MissingBlockError(root)
  const commit = decodeCommit(block.bytes)
  if (commit.did !== did) throw new InvalidImportError(`The repo is that of ${commit.did}, not of ${did}`)
  if (commit.rev !== undefined && tidMicros(commit.rev) > nowMicros() + importRevAheadMicrosMax) {
    throw new InvalidImportError(`The rev of the repo is in the future: ${commit.rev}`)
  }
  return commit
}

function requireImportable(head: RepoHead | undefined, accountId: number): RepoHead {
  if (head === undefined) throw notActive(`account ${accountId}`, undefined)
  if (head.status === 'takendown' || head.status === 'suspended') throw notActive(head.did, head.status)
  return head
}

function later(own: Tid, imported: Tid | undefined): Tid {
  return imported !== undefined && imported > own ? imported : own
}

function unwrap(planned: ImportPlan | { error: unknown }): ImportPlan {
  if ('error' in planned) throw planned.error
  return planned
}
