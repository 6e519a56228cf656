import { type JobState, type Queryable, statement } from '@rookery/db'

/** A job as its worker sees it. */
export type ClaimedJob = {
  id: number
  queue: string
  payload: unknown
  /** Counts from 1. */
  attempts: number
  requests: number
}

/** A job as an operator sees it. */
export type JobRow = {
  id: number
  queue: string
  payload: unknown
  dedupe_key: string | null
  state: JobState
  attempts: number
  run_at: Date
  relayed_at: Date | null
  locked_until: Date | null
  error: string | null
  error_code: string | null
  /** What the processor told of itself last. */
  progress: unknown
  created_at: Date
  finished_at: Date | null
}

/**
 * Adds a job: queue, payload, dedupe key or null, run_at or null, keep_result. A job that is open under the same key
 * takes the newer payload; one that runs is asked for once more. A failed one keeps its back-off.
 */
export const insertJob = statement<{ id: number }>(
  'job_add',
  `insert into job_outbox as job (queue, payload, dedupe_key, run_at, keep_result)
  values ($1, $2::jsonb, $3, coalesce($4::timestamptz, now()), $5)
  on conflict (queue, dedupe_key) where state = 'open' do update set
    payload = excluded.payload,
    requests = job.requests + 1,
    run_at = case when job.attempts > 0 then job.run_at else least(job.run_at, excluded.run_at) end,
    keep_result = job.keep_result or excluded.keep_result
  returning id`,
)

/**
 * Adds a job unless one is open under its key: queue, payload, dedupe key. That one stays as it is, but that its
 * result is kept.
 */
export const insertOrJoinJob = statement<{ id: number; isNew: boolean }>(
  'job_join',
  `insert into job_outbox as job (queue, payload, dedupe_key, keep_result) values ($1, $2::jsonb, $3, true)
  on conflict (queue, dedupe_key) where state = 'open' do update set keep_result = true
  returning id, xmax = 0 as "isNew"`,
)

/** Takes due jobs that wait to be enqueued, or were and then forgotten: limit, milliseconds until forgotten. */
export const takeDueJobs = statement<{ id: number; queue: string; attempts: number }>(
  'job_take_due',
  `with due as (
     select id from job_outbox
     where state = 'open' and run_at <= now()
       and (relayed_at is null or relayed_at < now() - $2::integer * interval '1 millisecond')
       and (locked_until is null or locked_until < now())
     order by run_at, id
     limit $1
     for update skip locked)
   update job_outbox job set relayed_at = now() from due where job.id = due.id
   returning job.id, job.queue, job.attempts`,
)

/** Lets jobs be taken again: ids. */
export const untakeJobs = statement<Record<string, never>>(
  'job_untake',
  `update job_outbox set relayed_at = null
   where id = any($1::bigint[]) and state = 'open' and locked_by is null`,
)

/** Lets every job be taken again that was enqueued and does not run. */
export const untakeAllJobs = statement<Record<string, never>>(
  'job_untake_all',
  `update job_outbox set relayed_at = null
   where state = 'open' and relayed_at is not null and (locked_until is null or locked_until < now())`,
)

/** Claims a due job that nobody runs: id, who, lease in milliseconds. */
export const claimJob = statement<ClaimedJob>(
  'job_claim',
  `update job_outbox set
     attempts = attempts + 1, locked_by = $2, locked_until = now() + $3::integer * interval '1 millisecond'
   where id = $1 and state = 'open' and run_at <= now() and (locked_until is null or locked_until < now())
   returning id, queue, payload, attempts, requests`,
)

/** Renews claims: ids, who, lease in milliseconds. Answers those that still are theirs. */
export const renewClaims = statement<{ id: number }>(
  'job_renew',
  `update job_outbox set locked_until = now() + $3::integer * interval '1 millisecond'
   where id = any($1::bigint[]) and locked_by = $2 and state = 'open'
   returning id`,
)

/** Ends a job that nobody waits for and that was not asked for again: id, who, requests. */
export const deleteFinishedJob = statement<{ id: number }>(
  'job_delete_finished',
  `delete from job_outbox
   where id = $1 and locked_by = $2 and state = 'open' and requests = $3 and not keep_result
   returning id`,
)

/** Ends any other: keeps the result, or opens it anew if it was asked for again: id, who, requests, result. */
export const keepFinishedJob = statement<{ id: number }>(
  'job_keep_finished',
  `update job_outbox set
     state = case when requests = $3 then 'done' else 'open' end,
     finished_at = case when requests = $3 then now() end,
     result = $4::jsonb,
     attempts = 0, run_at = now(), relayed_at = null, locked_by = null, locked_until = null,
     error = null, error_code = null
   where id = $1 and locked_by = $2 and state = 'open'
   returning id`,
)

/** Stores how far a job has come: id, who, progress. */
export const storeProgress = statement<Record<string, never>>(
  'job_progress',
  `update job_outbox set progress = $3::jsonb where id = $1 and locked_by = $2 and state = 'open'`,
)

/** Puts a failed attempt back: id, who, wait in milliseconds, error, error code. */
export const retryLater = statement<{ id: number }>(
  'job_retry_later',
  `update job_outbox set
     run_at = now() + $3::integer * interval '1 millisecond', relayed_at = null,
     locked_by = null, locked_until = null, error = $4, error_code = $5
   where id = $1 and locked_by = $2 and state = 'open'
   returning id`,
)

/** Gives a job up, in place of an earlier dead one under its dedupe key: id, who, error, error code. */
export const buryJob = statement<{ id: number }>(
  'job_bury',
  `with buried as (
     update job_outbox set
       state = 'dead', finished_at = now(), locked_by = null, locked_until = null, error = $3, error_code = $4
     where id = $1 and locked_by = $2 and state = 'open'
     returning id, queue, dedupe_key), replaced as (
     delete from job_outbox old using buried
     where old.queue = buried.queue and old.dedupe_key = buried.dedupe_key and old.state = 'dead')
   select id from buried`,
)

/** Ends a job that refused its input, for who waits: id, who, error, error code. */
export const refuseJob = statement<{ id: number }>(
  'job_refuse',
  `update job_outbox set
     state = 'done', finished_at = now(), locked_by = null, locked_until = null, error = $3, error_code = $4
   where id = $1 and locked_by = $2 and state = 'open' and keep_result
   returning id`,
)

/** Gives back jobs that did not end before their worker did; the attempt does not count: ids, who. */
export const giveBackJobs = statement<{ id: number }>(
  'job_give_back',
  `update job_outbox set
     attempts = attempts - 1, relayed_at = null, locked_by = null, locked_until = null
   where id = any($1::bigint[]) and locked_by = $2 and state = 'open'
   returning id`,
)

/** How a job stands: id. */
export const findOutcome = statement<{
  state: JobState
  result: unknown
  error: string | null
  error_code: string | null
}>('job_outcome', 'select state, result, error, error_code from job_outbox where id = $1')

/** Drops results that nobody fetched: their life in milliseconds. */
export const deleteOldResults = statement<{ id: number }>(
  'job_delete_results',
  `delete from job_outbox where id in (
     select id from job_outbox
     where state = 'done' and finished_at < now() - $1::integer * interval '1 millisecond' limit 1000)
   returning id`,
)

/** Claims a schedule whose period is over, if it did not run since: name, period in milliseconds, instant or null. */
export const claimSchedule = statement<{ name: string }>(
  'job_claim_schedule',
  `insert into job_schedule as schedule (name, last_run_at) values ($1, now())
   on conflict (name) do update set last_run_at = now()
     where schedule.last_run_at <= now() - $2::bigint * interval '1 millisecond'
       and ($3::timestamptz is null or schedule.last_run_at < $3)
   returning name`,
)

/** How long ago each schedule last ran, in milliseconds. */
export const listSchedules = statement<{ name: string; ageMs: number }>(
  'job_list_schedules',
  `select name, (extract(epoch from (now() - last_run_at)) * 1000)::float8 as "ageMs" from job_schedule`,
)

/** Runs schedules in one process at a time: name. */
export const lockSchedule = statement<{ isMine: boolean }>(
  'job_lock_schedule',
  `select pg_try_advisory_xact_lock(hashtext('rookery job schedule'), hashtext($1)) as "isMine"`,
)

const rowColumns = `id, queue, payload, dedupe_key, state, attempts, run_at, relayed_at, locked_until, error,
  error_code, progress, created_at, finished_at`

/** Jobs for an operator: queue or null, state or null, ids below or null, limit. Newest first. */
export const selectJobs = statement<JobRow>(
  'job_list',
  `select ${rowColumns} from job_outbox
   where ($1::text is null or queue = $1) and ($2::text is null or state = $2) and ($3::bigint is null or id < $3)
   order by id desc limit $4`,
)

/** Jobs of an account: queue, account, limit. Newest first. */
export const selectJobsOf = statement<JobRow>(
  'job_list_of',
  `select ${rowColumns} from job_outbox where queue = $1 and payload->>'accountId' = $2::text
   order by id desc limit $3`,
)

/** Opens dead jobs anew unless another is open under their key: ids or null, queue or null. */
export async function reopenJobs(
  db: Queryable,
  filter: { ids: number[] | undefined; queue: string | undefined },
): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>(
    `update job_outbox job set
       state = 'open', attempts = 0, run_at = now(), relayed_at = null, finished_at = null
     where id in (
       select distinct on (queue, coalesce(dedupe_key, id::text)) id from job_outbox
       where state = 'dead' and ($1::bigint[] is null or id = any($1)) and ($2::text is null or queue = $2)
       order by queue, coalesce(dedupe_key, id::text), id desc)
       and not exists (
         select from job_outbox other
         where other.queue = job.queue and other.dedupe_key = job.dedupe_key and other.state = 'open')
     returning id`,
    [filter.ids ?? null, filter.queue ?? null],
  )
  return rows.map(({ id }) => id)
}

/** Deletes dead jobs for good: ids. */
export const deleteDeadJobs = statement<{ id: number }>(
  'job_delete_dead',
  `delete from job_outbox where id = any($1::bigint[]) and state = 'dead' returning id`,
)
