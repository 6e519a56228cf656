import { type Queryable, inTransaction } from '@rookery/db'
import { Loop } from '@rookery/std'
import type { Logger } from '@rookery/telemetry'
import type pg from 'pg'

import { claimSchedule, listSchedules, lockSchedule } from './job-queries.ts'
import { retryMsMax, schedulePollMs } from './limits.ts'

/** Something to be done once per period in the whole cluster. */
export type Schedule = {
  /** Names it in Postgres: stable, unique. */
  name: string
  /** Its period, in milliseconds. */
  everyMs: number
  /** Does it, bounded, in the transaction that notes that it was done: adds jobs, or deletes a batch of rows. */
  run: (tx: pg.PoolClient) => Promise<void>
}

/** What `claimPeriod` claims. */
export type Period = {
  /** Names it in Postgres: stable, unique. */
  name: string
  /** Its length, in milliseconds. */
  everyMs: number
  /** When something last happened that calls for it. Default: just now. */
  calledForAt?: Date
}

/**
 * Returns true for one caller per period, and only if something called for it since it was claimed last. In a
 * transaction, so that what the caller does and that it did it go together.
 */
export async function claimPeriod(tx: Queryable, period: Period): Promise<boolean> {
  const { rows } = await claimSchedule(tx, [period.name, period.everyMs, period.calledForAt ?? null])
  return rows.length > 0
}

/**
 * Runs schedules, in any number of processes: Postgres knows when each last ran, so neither a flushed Redis nor the
 * death of a worker loses a period. One that fails does not keep others from running, and is tried again at once.
 */
export class JobSchedules implements AsyncDisposable {
  readonly #loop: Loop

  constructor(options: {
    log: Logger
    pool: pg.Pool
    schedules: readonly Schedule[]
    /** Told after a schedule ran and committed. */
    onRan?: () => void
  }) {
    const { log, pool, schedules, onRan } = options
    this.#loop = new Loop({
      step: async (signal) => {
        const { rows } = await listSchedules(pool, [])
        const ages = new Map(rows.map(({ name, ageMs }) => [name, ageMs]))
        for (const schedule of schedules) {
          if (signal.aborted) break
          if ((ages.get(schedule.name) ?? Infinity) < schedule.everyMs) continue
          await runSchedule(pool, schedule).then(
            (didRun) => didRun && onRan?.(),
            (error: unknown) => log.error({ err: error, schedule: schedule.name }, 'schedule failed'),
          )
        }
        return schedulePollMs
      },
      onError: (error) => log.warn({ err: error }, 'schedules could not be read'),
      backoffMsMax: retryMsMax,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop[Symbol.asyncDispose]()
  }
}

function runSchedule(pool: pg.Pool, schedule: Schedule): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await lockSchedule(tx, [schedule.name])
    if (rows[0]?.isMine !== true) return false
    if (!(await claimPeriod(tx, { name: schedule.name, everyMs: schedule.everyMs }))) return false
    await schedule.run(tx)
    return true
  })
}
