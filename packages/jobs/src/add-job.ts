import type { Db, Queryable, Tx } from '@rookery/db'
import { must } from '@rookery/std'
import { currentTraceparent } from '@rookery/telemetry'
import { z } from 'zod'

import { asQueryable } from './as-queryable.ts'
import { InvalidJobError } from './errors.ts'
import { insertJob, insertOrJoinJob } from './job-queries.ts'
import { payloadBytesMax } from './limits.ts'
import { type JobPayload, type QueueName, queues } from './queues.ts'

export type AddJobOptions = {
  /**
   * Makes the job one of its kind in the queue: while one is open under the key, adding another changes its payload
   * to the newer and, if it runs already, runs it once more afterwards.
   */
  dedupeKey?: string
  /** Earliest start. Default at once. */
  runAt?: Date
  /** Keeps the outcome for an hour, for `waitForJob`. Default false: a finished job leaves no trace. */
  keepResult?: boolean
}

/**
 * Writes a job into the outbox, in the caller's transaction if it gives one: the job exists exactly if that
 * commits. It then starts within about a second; `wakeJobs` after the commit makes that milliseconds.
 *
 * @returns the job's id.
 * @throws {InvalidJobError} if the payload is not the queue's, or too large.
 */
export async function addJob<Q extends QueueName>(
  db: Db | Tx | Queryable,
  job: { queue: Q; payload: JobPayload<Q> } & AddJobOptions,
): Promise<number> {
  const { rows } = await insertJob(asQueryable(db), [
    job.queue,
    encodePayload(job.queue, job.payload),
    job.dedupeKey ?? null,
    job.runAt ?? null,
    job.keepResult ?? false,
  ])
  return must(rows[0], 'the insert returns its row').id
}

/**
 * Adds a job whose result is waited for, unless one is open under the key: two callers who want the same wait for the
 * same job.
 *
 * @returns the job's id, and whether the payload that was given is the job's.
 * @throws {InvalidJobError} if the payload is not the queue's, or too large.
 */
export async function joinJob<Q extends QueueName>(
  db: Db | Tx | Queryable,
  job: { queue: Q; payload: JobPayload<Q>; dedupeKey: string },
): Promise<{ id: number; isNew: boolean }> {
  const payload = encodePayload(job.queue, job.payload)
  const { rows } = await insertOrJoinJob(asQueryable(db), [job.queue, payload, job.dedupeKey])
  return must(rows[0], 'the insert returns its row')
}

function encodePayload(queue: QueueName, payload: unknown): string {
  const parsed = queues[queue].payload.safeParse(payload)
  if (!parsed.success) {
    throw new InvalidJobError(`a job of ${queue} can't carry this: ${z.prettifyError(parsed.error)}`)
  }
  // The trace goes along, and goes on where the job runs.
  const json = JSON.stringify({ ...parsed.data, traceparent: currentTraceparent() })
  if (Buffer.byteLength(json) > payloadBytesMax) {
    throw new InvalidJobError(`a job of ${queue} carries more than ${payloadBytesMax} bytes`)
  }
  return json
}
