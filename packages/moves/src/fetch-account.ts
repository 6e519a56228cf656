/**
 * Fetches what an account has at the server that it moves away from: the repo, then the blobs that its records refer to,
 * then preferences. May be run again at any moment: a repo that is here is replaced by itself, blobs that are here are
 * not missing. A blob that the old server does not give is counted and left out; that the account is complete is for its
 * owner to decide.
 */
import { type Account, type Preference, findAccountById, putPreferences } from '@rookery/accounts'
import type { BlobStore } from '@rookery/blobs'
import { JobRefusedError, type RunningJob, queues } from '@rookery/jobs'
import {
  type BlobRules,
  type ImportDeps,
  importRepo,
  listBlobsMax,
  listMissingBlobs,
  uploadBlob,
  uploadImport,
} from '@rookery/records'
import { DomainError } from '@rookery/std'
import { type Cid, cidToString } from '@rookery/syntax'
import { z } from 'zod'

import { OldServerRefusedError, OldServerUnreachableError } from './errors.ts'
import { moveProgressEveryMs } from './limits.ts'
import { endFetching, findMove, storeMoveProgress } from './move-queries.ts'
import { OldAccount, type OldAccountDeps } from './old-account.ts'

export type FetchAccountDeps = OldAccountDeps & {
  store: BlobStore
  imports: ImportDeps
  /** What the account's tenant lets it upload. */
  rulesOf: (account: Account) => Promise<{ bytesMax: number; rules: BlobRules }>
}

type Job = Pick<RunningJob<'account-move'>, 'payload' | 'attempt' | 'signal' | 'log'>

const preferences = z.object({ preferences: z.array(z.looseObject({ $type: z.string() })) })

/** Does the job; see the module's header. */
export async function fetchAccount(deps: FetchAccountDeps, job: Job): Promise<void> {
  const { accountId } = job.payload
  const { pool } = deps.db
  const account = await findAccountById(pool, accountId)
  const move = await findMove(pool, accountId)
  // One that is active is at home here: what its old server has is older.
  if (account === undefined || account.status !== 'deactivated' || move?.state !== 'fetching') return
  try {
    const old = await OldAccount.open(deps, account)
    const progress = { isRepoDone: move.isRepoDone, blobsDone: 0, blobsFailed: 0 }
    if (!progress.isRepoDone) await fetchRepo(deps, job, { account, old })
    progress.isRepoDone = true
    await storeMoveProgress(pool, accountId, progress)
    await fetchBlobs(deps, job, { account, old, progress })
    await fetchPreferences(deps, { account, old })
    await endFetching(pool, accountId, null)
  } catch (error) {
    const isOver = isFinal(error) || job.attempt >= queues['account-move'].attemptsMax
    if (isOver && !job.signal.aborted) await endFetching(pool, accountId, sentenceOf(error))
    if (!isFinal(error)) throw error
    job.log.info({ err: error }, 'an account could not be fetched from its old server')
  }
}

type Mover = { account: Account; old: OldAccount }

async function fetchRepo(deps: FetchAccountDeps, job: Job, { account, old }: Mover): Promise<void> {
  const { id: accountId, host_id: hostId, did } = account
  const { body } = await old.stream({ nsid: 'com.atproto.sync.getRepo', params: { did } })
  const upload = { hostId, accountId, body, bytesMax: deps.imports.bytesMax }
  const { objectKey } = await uploadImport(deps.store, upload).finally(() => body.destroy())
  const nothing = (): Promise<void> => Promise.resolve()
  const { signal, log } = job
  await importRepo(deps.imports, { accountId, objectKey, signal, log, report: nothing, complete: nothing })
}

async function fetchBlobs(
  deps: FetchAccountDeps,
  { signal }: Job,
  of: Mover & { progress: { isRepoDone: boolean; blobsDone: number; blobsFailed: number } },
): Promise<void> {
  const { account, old, progress } = of
  const { pool } = deps.db
  let storedAtMs = performance.now()
  for (let cursor: Cid | undefined, more = true; more;) {
    const page = await listMissingBlobs(pool, account.id, { cursor, limit: listBlobsMax })
    for (const { cid } of page) {
      signal.throwIfAborted()
      if (await fetchBlob(deps, { account, old }, cid)) progress.blobsDone++
      else progress.blobsFailed++
      if (performance.now() - storedAtMs < moveProgressEveryMs) continue
      storedAtMs = performance.now()
      if (!(await storeMoveProgress(pool, account.id, progress))) return
    }
    cursor = page.at(-1)?.cid
    more = page.length === listBlobsMax
  }
  await storeMoveProgress(pool, account.id, progress)
}

/** Tells whether the blob is here now; what is not the blob goes again as any upload that nothing refers to. */
async function fetchBlob(deps: FetchAccountDeps, { account, old }: Mover, cid: Cid): Promise<boolean> {
  const { id: accountId, host_id: hostId, did } = account
  const wanted = cidToString(cid)
  const { bytesMax, rules } = await deps.rulesOf(account)
  try {
    const blob = await old.stream({ nsid: 'com.atproto.sync.getBlob', params: { did, cid: wanted } })
    const { body, mimeType } = blob
    const upload = { hostId, accountId, body, mimeType, bytesMax, rules }
    const blobDeps = { store: deps.store, pool: deps.db.pool }
    const stored = await uploadBlob(blobDeps, upload).finally(() => body.destroy())
    return cidToString(stored.cid) === wanted
  } catch (error) {
    // What is refused here or there is refused again; what is away is tried again.
    if (!(error instanceof DomainError) || isTemporary(error)) throw error
    return false
  }
}

async function fetchPreferences(deps: FetchAccountDeps, { account, old }: Mover): Promise<void> {
  const answer = preferences.safeParse(await old.call({ nsid: 'app.bsky.actor.getPreferences' }))
  if (!answer.success) return
  const ours = answer.data.preferences.filter(({ $type }) => $type.startsWith('app.bsky.')) as Preference[]
  await putPreferences(deps, account.id, ours, { isFullAccess: true })
}

function isTemporary(error: DomainError): boolean {
  return error instanceof OldServerUnreachableError || error.code === 'BlobStoreUnavailable'
}

/** Whether no further attempt will do. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof OldServerRefusedError ||
    error instanceof JobRefusedError ||
    (error instanceof DomainError && error.code === 'ImportTooLarge')
  )
}

function sentenceOf(error: unknown): string {
  return error instanceof DomainError ? error.message : 'Something went wrong here.'
}
