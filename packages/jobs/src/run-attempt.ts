import type { Db, Queryable, Tx } from '@rookery/db'
import { DomainError } from '@rookery/std'
import { type Logger, countDatabaseError, inSpanOf, metrics } from '@rookery/telemetry'
import type pg from 'pg'

import { asQueryable } from './as-queryable.ts'
import { JobLostError, JobRefusedError } from './errors.ts'
import type { JobProcessor } from './job-processor.ts'
import {
  type ClaimedJob,
  buryJob,
  deleteFinishedJob,
  giveBackJobs,
  keepFinishedJob,
  refuseJob,
  retryLater,
  storeProgress,
} from './job-queries.ts'
import { errorLengthMax } from './limits.ts'
import { type QueueName, backoffMs, queues } from './queues.ts'

/** One attempt at a claimed job. */
export type Attempt<Q extends QueueName = QueueName> = {
  pool: pg.Pool
  log: Logger
  queue: Q
  claim: ClaimedJob
  processor: JobProcessor<Q>
  /** Who holds the claim. */
  me: string
  /** Aborts the processor's signal. */
  abort: AbortController
  /** Tells whether the process is stopping: an attempt that it aborts does not count. */
  isStopping: () => boolean
}

/** Runs the processor and writes how it ended into the outbox. Throws only when that could not be written. */
export async function runAttempt(attempt: Attempt): Promise<void> {
  const { claim, queue, log } = attempt
  const { attemptsMax } = queues[queue]
  if (claim.attempts > attemptsMax) {
    await bury(attempt, new Error('the worker died in the last attempt'))
    return
  }
  const startedAtMs = performance.now()
  const completion = { isDone: false }
  try {
    const result = await inSpanOf(traceparentOf(claim), `job ${queue}`, () => process(attempt, completion))
    if (!completion.isDone) await finish(attempt.pool, attempt, result)
    log.info({ elapsedMs: Math.round(performance.now() - startedAtMs) }, 'job done')
    ended(queue, 'done', startedAtMs)
  } catch (error) {
    countDatabaseError(error)
    ended(queue, await recordFailure(attempt, error), startedAtMs)
  }
}

/** The trace that the job was added in, beside what its queue knows of. */
function traceparentOf({ payload }: ClaimedJob): string | undefined {
  const carried = typeof payload === 'object' && payload !== null && 'traceparent' in payload
  return carried && typeof payload.traceparent === 'string' ? payload.traceparent : undefined
}

function ended(queue: string, outcome: string, startedAtMs: number): void {
  metrics.observe('rookery_job_seconds', { queue, outcome }, (performance.now() - startedAtMs) / 1_000)
}

async function process(attempt: Attempt, completion: { isDone: boolean }): Promise<unknown> {
  const { claim, queue, processor, abort, log } = attempt
  const { runMsMax } = queues[queue]
  const payload = queues[queue].payload.parse(claim.payload)
  const timer = setTimeout(() => abort.abort(new Error(`the job took more than ${runMsMax} ms`)), runMsMax)
  const aborted = new Promise<never>((_, reject) => {
    // A processor that ignores its signal goes on, without a claim: it can complete nothing.
    const give = (): void => reject(abort.signal.reason as Error)
    abort.signal.addEventListener('abort', () => setImmediate(give), { once: true })
  })
  try {
    return await Promise.race([
      aborted,
      processor({
        id: claim.id,
        payload,
        attempt: claim.attempts,
        signal: abort.signal,
        log,
        report: (progress) => report(attempt, progress),
        complete: async (tx, result) => {
          await finish(tx, attempt, result)
          completion.isDone = true
        },
      }),
    ])
  } finally {
    clearTimeout(timer)
  }
}

async function report({ pool, claim, me, log }: Attempt, progress: object): Promise<void> {
  try {
    await storeProgress(pool, [claim.id, me, JSON.stringify(progress)])
  } catch (error) {
    log.warn({ err: error, progress }, 'how far the job has come could not be stored')
  }
}

async function finish(db: Db | Tx | Queryable, attempt: Attempt, result: unknown): Promise<void> {
  const { claim, me } = attempt
  const on = asQueryable(db)
  const deleted = await deleteFinishedJob(on, [claim.id, me, claim.requests])
  if (deleted.rows.length > 0) return
  const json = result === undefined ? null : JSON.stringify(result)
  const kept = await keepFinishedJob(on, [claim.id, me, claim.requests, json])
  if (kept.rows.length === 0) throw new JobLostError(`another worker has taken job ${claim.id}`)
}

/** Returns the outcome, as the metrics call it. */
async function recordFailure(attempt: Attempt, error: unknown): Promise<string> {
  const { pool, claim, queue, me, log, abort } = attempt
  if (error instanceof JobLostError) {
    log.warn({ err: error }, 'job lost to another worker')
    return 'lost'
  }
  if (error instanceof JobRefusedError) {
    const { rows } = await refuseJob(pool, [claim.id, me, describe(error), error.reason])
    if (rows.length === 0) await bury(attempt, error)
    else log.info({ err: error }, 'job refused its input')
    return 'refused'
  }
  if (attempt.isStopping() && abort.signal.aborted) {
    await giveBackJobs(pool, [[claim.id], me])
    log.info('job given back')
    return 'returned'
  }
  if (claim.attempts >= queues[queue].attemptsMax) {
    await bury(attempt, error)
    return 'dead'
  }
  // Jitter: what failed together is not tried again together.
  const waitMs = Math.round(backoffMs(queue, claim.attempts) * (0.5 + Math.random() / 2))
  await retryLater(pool, [claim.id, me, waitMs, describe(error), codeOf(error)])
  log.warn({ err: error, waitMs }, 'job failed; it is tried again')
  return 'retried'
}

async function bury(attempt: Attempt, error: unknown): Promise<void> {
  const { pool, claim, me, log } = attempt
  await buryJob(pool, [claim.id, me, describe(error), codeOf(error)])
  log.error({ err: error }, 'job given up; see `ctl jobs`')
}

function describe(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, errorLengthMax)
}

function codeOf(error: unknown): string {
  if (error instanceof JobRefusedError) return error.reason
  if (error instanceof DomainError) return error.code
  return error instanceof Error ? error.name : 'Error'
}
