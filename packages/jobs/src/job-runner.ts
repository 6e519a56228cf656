import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { type Redis, type RedisKeys, createRedis } from '@rookery/redis'
import { Loop } from '@rookery/std'
import type { Logger } from '@rookery/telemetry'
import { Worker } from 'bullmq'
import type pg from 'pg'

import { JobLostError } from './errors.ts'
import { type ClaimedJob, claimJob, giveBackJobs, renewClaims } from './job-queries.ts'
import type { JobProcessors } from './job-processor.ts'
import { abortGraceMs, leaseMs as defaultLeaseMs, retryMsMax } from './limits.ts'
import { type QueueName, queueNames, queues } from './queues.ts'
import { runAttempt } from './run-attempt.ts'

export type JobRunnerOptions = {
  log: Logger
  pool: pg.Pool
  redisUrl: string
  keys: RedisKeys
  processors: JobProcessors
  /** How long running jobs may go on once the runner is disposed, in milliseconds. */
  drainMs: number
  /** How long a claim lasts without being renewed, in milliseconds. Default 15,000. */
  leaseMs?: number
}

type Run = { abort: AbortController; ended: Promise<void> }

/**
 * Runs the jobs that BullMQ delivers, each under a claim in Postgres.
 *
 * A delivery is only a hint: the claim decides. It is refused when the job is finished, is not due, or another
 * worker has it, so one that is delivered twice runs once. While a job runs its claim is renewed; a worker that dies
 * lets it lapse and the relays enqueue the job again. A claim that was lost aborts the job's signal, and neither
 * `complete` nor the end of the job can then touch the row.
 *
 * Disposing takes no further jobs, waits `drainMs` for those that run, aborts the rest, and gives back, without
 * counting the attempt, what has not ended by then.
 */
export class JobRunner implements AsyncDisposable {
  readonly #options: JobRunnerOptions
  readonly #leaseMs: number
  readonly #me = randomUUID()
  readonly #redis: Redis
  readonly #workers: Worker[]
  readonly #heartbeat: Loop
  readonly #runs = new Map<number, Run>()
  #isStopping = false

  constructor(options: JobRunnerOptions) {
    const { log, redisUrl, processors } = options
    this.#options = options
    this.#leaseMs = options.leaseMs ?? defaultLeaseMs
    this.#redis = createRedis(log, redisUrl, { blocking: true })
    this.#workers = queueNames
      .filter((name) => processors[name] !== undefined)
      .map((name) => this.#openWorker(name))
    this.#heartbeat = new Loop({
      step: () => this.#renew(),
      onError: (error) => log.warn({ err: error }, 'claims on jobs could not be renewed'),
      backoffMsMax: retryMsMax,
    })
  }

  /** How many jobs this process is running. */
  get runningCount(): number {
    return this.#runs.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true
    await Promise.allSettled(this.#workers.map((worker) => worker.pause(true)))
    await this.#ended(this.#options.drainMs)
    for (const { abort } of this.#runs.values()) abort.abort(new Error('the worker stops'))
    await this.#ended(abortGraceMs)
    await this.#heartbeat[Symbol.asyncDispose]()
    const left = [...this.#runs.keys()]
    if (left.length > 0) {
      await giveBackJobs(this.#options.pool, [left, this.#me]).catch((error: unknown) =>
        this.#options.log.warn({ err: error, jobs: left }, 'jobs start again when their claims lapse'),
      )
    }
    await this.#close(left.length > 0)
  }

  #openWorker(name: QueueName): Worker {
    const { keys, log } = this.#options
    const worker = new Worker<{ id: number }>(name, ({ data }) => this.#deliver(name, data.id), {
      connection: this.#redis,
      prefix: keys.jobs,
      concurrency: queues[name].concurrency,
      lockDuration: 2 * this.#leaseMs,
      stalledInterval: 2 * this.#leaseMs,
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      runRetryDelay: retryMsMax,
    })
    // Nothing here is lost: the claim and the relay see to it. Redis being away is logged by its connection.
    worker.on('error', (error) => log.debug({ err: error, queue: name }, 'queue'))
    return worker
  }

  async #deliver(queue: QueueName, id: number): Promise<void> {
    if (this.#isStopping || this.#runs.has(id)) return
    const { rows } = await claimJob(this.#options.pool, [id, this.#me, this.#leaseMs])
    const claim = rows[0]
    if (claim === undefined) return
    const abort = new AbortController()
    const ended = this.#run(queue, claim, abort)
    this.#runs.set(id, { abort, ended })
    await ended
  }

  async #run(queue: QueueName, claim: ClaimedJob, abort: AbortController): Promise<void> {
    const { pool, processors } = this.#options
    const log = this.#options.log.child({ queue, job: claim.id, attempt: claim.attempts })
    try {
      await runAttempt({
        pool,
        log,
        queue,
        claim,
        abort,
        processor: processors[queue] as never,
        me: this.#me,
        isStopping: () => this.#isStopping,
      })
    } catch (error) {
      log.warn({ err: error }, 'the end of a job could not be written: it runs again when its claim lapses')
    } finally {
      this.#runs.delete(claim.id)
    }
  }

  async #renew(): Promise<number> {
    const ids = [...this.#runs.keys()]
    if (ids.length > 0) {
      const { rows } = await renewClaims(this.#options.pool, [ids, this.#me, this.#leaseMs])
      const kept = new Set(rows.map(({ id }) => id))
      for (const id of ids) {
        if (!kept.has(id))
          this.#runs.get(id)?.abort.abort(new JobLostError(`another worker has taken job ${id}`))
      }
    }
    return this.#leaseMs / 3
  }

  async #ended(withinMs: number): Promise<void> {
    const running = [...this.#runs.values()].map(({ ended }) => ended)
    if (running.length === 0 || withinMs <= 0) return
    const timer = new AbortController()
    await Promise.race([
      Promise.all(running),
      sleep(withinMs, undefined, { signal: timer.signal }).catch(() => {}),
    ])
    timer.abort()
  }

  /** A Redis that is away must not keep the process from stopping. */
  async #close(force: boolean): Promise<void> {
    const closed = Promise.allSettled(this.#workers.map((worker) => worker.close(force)))
    const timer = new AbortController()
    await Promise.race([closed, sleep(abortGraceMs, undefined, { signal: timer.signal }).catch(() => {})])
    timer.abort()
    this.#redis.disconnect()
  }
}
