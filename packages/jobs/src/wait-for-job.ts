import { setTimeout as sleep } from 'node:timers/promises'

import type { Queryable } from '@rookery/db'

import { JobDeadError, JobNotFoundError, JobRefusedError, JobTimeoutError } from './errors.ts'
import { findOutcome } from './job-queries.ts'
import { waitPollMsMax, waitPollMsMin } from './limits.ts'

/**
 * Resolves to what the job's processor returned. The job must have been added with `keepResult`. Asks Postgres only,
 * so it survives whatever happens to Redis and the workers; giving up does not stop the job.
 *
 * @param options.timeoutMs longest wait, in milliseconds.
 * @param options.signal ends the wait early, with its reason.
 * @throws {JobRefusedError} if the job refused its input.
 * @throws {JobDeadError} if every attempt failed.
 * @throws {JobTimeoutError} if it has not ended in time.
 * @throws {JobNotFoundError} if there is no such job, or its result was dropped.
 */
export async function waitForJob(
  db: Queryable,
  id: number,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<unknown> {
  const { timeoutMs, signal } = options
  const deadline = performance.now() + timeoutMs
  for (let pollMs = waitPollMsMin; ; pollMs = Math.min(waitPollMsMax, pollMs * 1.5)) {
    signal?.throwIfAborted()
    const { rows } = await findOutcome(db, [id])
    const job = rows[0]
    if (job === undefined) throw new JobNotFoundError(`there is no job ${id}, or its result was dropped`)
    const error = job.error ?? 'unknown error'
    if (job.state === 'dead') throw new JobDeadError(`job ${id} was given up: ${error}`)
    if (job.state === 'done' && job.error_code !== null) throw new JobRefusedError(job.error_code, error)
    if (job.state === 'done') return job.result ?? undefined
    const leftMs = deadline - performance.now()
    if (leftMs <= 0) throw new JobTimeoutError(`job ${id} has not ended within ${timeoutMs} ms`)
    await sleep(Math.min(pollMs, leftMs), undefined, signal === undefined ? {} : { signal })
  }
}
