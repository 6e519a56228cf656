import type { Queryable } from '@rookery/db'

/** Jobs of a queue in one state. */
export type JobFigure = {
  queue: string
  state: 'waiting' | 'running' | 'dead'
  count: number
  /** How long ago the oldest was due, in seconds. */
  oldestSeconds: number
}

/** Jobs that are counted: those that have been due for longest, and as many dead ones. */
const countedJobsMax = 10_000

/** Returns how many jobs are due, run, or were given up, and since when, by queue. */
export async function readJobFigures(db: Queryable): Promise<JobFigure[]> {
  const { rows } = await db.query<JobFigure>(
    `select queue, state, count(*) as count, extract(epoch from now() - min(run_at))::float8 as "oldestSeconds"
     from (
       (select queue, run_at, case when locked_until > now() then 'running' else 'waiting' end as state
        from job_outbox where state = 'open' and run_at <= now() order by run_at, id limit $1)
       union all
       (select queue, run_at, 'dead' from job_outbox where state = 'dead' limit $1)
     ) job group by queue, state`,
    [countedJobsMax],
  )
  return rows
}
