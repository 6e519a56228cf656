import type { JobProcessor } from '@rookery/jobs'
import { type ImportDeps, type ImportJob, importRepo } from '@rookery/records'

/** Replaces an account's repo by an uploaded one; the job ends in the transaction that does it. */
export function repoImport(deps: ImportDeps): JobProcessor<'repo-import'> {
  return (job) => {
    const { payload, signal, log } = job
    const { accountId, objectKey } = payload
    const complete: ImportJob['complete'] = (tx, result) => job.complete(tx, result)
    const report: ImportJob['report'] = (progress) => job.report(progress)
    return importRepo(deps, { accountId, objectKey, signal, log, report, complete })
  }
}
