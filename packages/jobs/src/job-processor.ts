import type { Db, Queryable, Tx } from '@rookery/db'
import type { Logger } from '@rookery/telemetry'

import type { JobPayload, QueueName } from './queues.ts'

/** A job that is being run. */
export type RunningJob<Q extends QueueName = QueueName> = {
  readonly id: number
  readonly payload: JobPayload<Q>
  /** Counts from 1. The same job may have been run before, wholly or in part, without anybody knowing. */
  readonly attempt: number
  /** Is aborted when the process stops, the time is over, or another worker has taken the job. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** Stores how far the job has come, for those who list jobs. Nothing depends on it: it never fails. */
  report(progress: object): Promise<void>
  /**
   * Ends the job in the transaction that holds its effect: both commit or neither. Without it the job ends after
   * the processor returns, and what it did may be done again after a crash between the two.
   *
   * @throws {JobLostError} if another worker has taken the job: the transaction must roll back.
   */
  complete(tx: Db | Tx | Queryable, result?: unknown): Promise<void>
}

/**
 * Does the work of a queue. Must be safe to run again after any crash. What it returns is the result for
 * `waitForJob`; what it throws is tried again later, except JobRefusedError.
 */
export type JobProcessor<Q extends QueueName> = (job: RunningJob<Q>) => Promise<unknown>

/** The processors of a process, by queue; it leaves other queues alone. */
export type JobProcessors = { [Q in QueueName]?: JobProcessor<Q> }
