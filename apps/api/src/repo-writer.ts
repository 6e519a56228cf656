import { findAccountById } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import type { SigningKeys } from '@rookery/identity'
import { addJob } from '@rookery/jobs'
import { type RepoRef, RepoWriter, repoSigner } from '@rookery/records'
import type { TidClock } from '@rookery/syntax'
import type { Logger } from '@rookery/telemetry'

/** What the process's writer of repos is built from. */
export type RepoWriterDeps = {
  db: Database
  log: Logger
  clock: TidClock
  signingKeys: SigningKeys
  wakeSequencer: () => void
  wakeWorkers: () => void
}

/** Returns the writer of repos of this process: it signs with the accounts' keys, and a job compacts large repos. */
export function createRepoWriter(deps: RepoWriterDeps): RepoWriter {
  const { db, log, clock, signingKeys, wakeSequencer } = deps
  const onError = (err: unknown): void => log.warn({ err }, 'the packs of a repo could not be compacted')
  return new RepoWriter({
    pool: db.pool,
    clock,
    signerFor: repoSigner(signingKeys),
    onStored: wakeSequencer,
    onCompactionDue: (repo) => void requestCompaction(deps, repo).catch(onError),
    onError,
  })
}

async function requestCompaction({ db, wakeWorkers }: RepoWriterDeps, repo: RepoRef): Promise<void> {
  const account = await findAccountById(db.pool, repo.accountId)
  if (account === undefined) return
  const { id: accountId, host_id: hostId, tenant_id: tenantId } = account
  const payload = { hostId, tenantId, accountId }
  await addJob(db.pool, { queue: 'repo-compaction', payload, dedupeKey: String(accountId) })
  wakeWorkers()
}
