import type { JobState, Queryable } from '@rookery/db'

import { JobNotFoundError } from './errors.ts'
import {
  type JobRow,
  deleteDeadJobs,
  deleteOldResults,
  reopenJobs,
  selectJobs,
  selectJobsOf,
} from './job-queries.ts'
import { listJobsMax, resultLifeMs } from './limits.ts'
import type { QueueName } from './queues.ts'

export type { JobRow } from './job-queries.ts'

/** Returns jobs, newest first; the next page starts below the last id. */
export async function listJobs(
  db: Queryable,
  filter: { queue?: QueueName; state?: JobState; belowId?: number; limit?: number } = {},
): Promise<JobRow[]> {
  const limit = Math.min(filter.limit ?? 100, listJobsMax)
  const { rows } = await selectJobs(db, [
    filter.queue ?? null,
    filter.state ?? null,
    filter.belowId ?? null,
    limit,
  ])
  return rows
}

/** Returns the jobs of a queue whose payload names the account, newest first: open ones, and results that are kept. */
export async function listJobsOf(
  db: Queryable,
  { queue, accountId }: { queue: QueueName; accountId: number },
): Promise<JobRow[]> {
  const { rows } = await selectJobsOf(db, [queue, accountId, listJobsMax])
  return rows
}

/**
 * Opens dead jobs anew with all their attempts: the given ones, or all of a queue, or all. Of several under one
 * dedupe key only the newest is opened, and none while another is open under it.
 *
 * @returns the ids of those it opened.
 */
export async function retryDeadJobs(
  db: Queryable,
  filter: { ids?: number[]; queue?: QueueName } = {},
): Promise<number[]> {
  return reopenJobs(db, { ids: filter.ids, queue: filter.queue })
}

/**
 * Deletes dead jobs for good.
 *
 * @throws {JobNotFoundError} if one is not there or not dead; the others are deleted.
 */
export async function discardDeadJobs(db: Queryable, ids: number[]): Promise<void> {
  const { rows } = await deleteDeadJobs(db, [ids])
  const missing = ids.filter((id) => !rows.some((row) => row.id === id))
  if (missing.length > 0) throw new JobNotFoundError(`no dead job has the id ${missing.join(', ')}`)
}

/** Drops the results that nobody fetched within their hour; at most 1,000 at a time. */
export async function dropOldResults(db: Queryable): Promise<number> {
  const { rows } = await deleteOldResults(db, [resultLifeMs])
  return rows.length
}
