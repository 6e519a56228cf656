import { randomUUID } from 'node:crypto'

import { type Redis, type RedisKeys, createRedis } from '@rookery/redis'
import { Loop, must } from '@rookery/std'
import type { Logger } from '@rookery/telemetry'
import { Queue } from 'bullmq'
import type pg from 'pg'

import { takeDueJobs, untakeAllJobs, untakeJobs } from './job-queries.ts'
import {
  bullEventsMax,
  deliveryAttempts,
  deliveryBackoffMs,
  redisTimeoutMs,
  relayAgainMs,
  relayBatchMax,
  relayPollMs,
  retryMsMax,
} from './limits.ts'
import { isQueueName, queueNames } from './queues.ts'

export type JobRelayOptions = {
  log: Logger
  pool: pg.Pool
  redisUrl: string
  keys: RedisKeys
  /** How long a relayed job may go without being started, in milliseconds. Default 30,000. */
  relayAgainMs?: number
  /** How long it waits for a wake-up before it looks at the outbox, in milliseconds. Default 1,000. */
  pollMs?: number
}

/**
 * Moves due jobs from the outbox into BullMQ; any number of processes may.
 *
 * A turn takes rows that are due and not relayed (`for update skip locked`: two relays never wait for each other),
 * marks them, and enqueues their ids. A row that was marked but is lost to Redis is taken again: at once after a
 * flush, which the missing epoch mark betrays, and otherwise when nobody has started it for `relayAgainMs`. BullMQ
 * ignores an id that it already holds, and whoever gets one twice finds the job claimed: enqueueing too often costs
 * nothing but time. While Redis is away rows wait in Postgres.
 */
export class JobRelay implements AsyncDisposable {
  readonly #options: JobRelayOptions
  readonly #redis: Redis
  readonly #subscriber: Redis
  readonly #queues: Map<string, Queue>
  readonly #loop: Loop
  #epoch: string | undefined

  constructor(options: JobRelayOptions) {
    const { log, redisUrl, keys } = options
    this.#options = options
    this.#redis = createRedis(log, redisUrl, { commandTimeoutMs: redisTimeoutMs })
    this.#subscriber = createRedis(log, redisUrl, { blocking: true })
    this.#queues = new Map(queueNames.map((name) => [name, this.#openQueue(name)]))
    this.#loop = new Loop({
      step: () => this.#relay(),
      onError: (error, backoffMs) => log.warn({ err: error, backoffMs }, 'jobs could not be relayed'),
      backoffMsMax: retryMsMax,
    })
    this.#redis.on('ready', () => this.wake())
    this.#subscriber.on('message', () => this.wake())
    // A connection that comes back subscribes by itself; this one fails only when the relay is disposed before.
    this.#subscriber.subscribe(keys.jobWake).catch(() => {})
  }

  /** Makes the next turn start at once. */
  wake(): void {
    this.#loop.wake()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop[Symbol.asyncDispose]()
    this.#subscriber.disconnect()
    this.#redis.disconnect()
    await Promise.allSettled([...this.#queues.values()].map((queue) => queue.close()))
  }

  #openQueue(name: string): Queue {
    const { keys, log } = this.#options
    const queue = new Queue(name, {
      connection: this.#redis,
      prefix: keys.jobs,
      streams: { events: { maxLen: bullEventsMax } },
      skipMetasUpdate: true,
    })
    queue.on('error', (error) => log.debug({ err: error, queue: name }, 'queue'))
    return queue
  }

  async #relay(): Promise<number> {
    const { pool, log } = this.#options
    // Its connection says so; jobs wait in Postgres, and `ready` ends the wait.
    if (this.#redis.status !== 'ready') return relayPollMs
    await this.#noticeFlush()
    const { rows } = await takeDueJobs(pool, [relayBatchMax, this.#options.relayAgainMs ?? relayAgainMs])
    try {
      for (const [name, jobs] of Map.groupBy(rows, ({ queue }) => queue)) {
        if (isQueueName(name)) await this.#enqueue(name, jobs)
        else log.warn({ queue: name }, 'a job waits for a queue that this version does not know')
      }
    } catch (error) {
      await untakeJobs(pool, [rows.map(({ id }) => id)])
      throw error
    }
    return rows.length === relayBatchMax ? 0 : (this.#options.pollMs ?? relayPollMs)
  }

  async #enqueue(name: string, jobs: { id: number; attempts: number }[]): Promise<void> {
    await must(this.#queues.get(name)).addBulk(
      jobs.map(({ id, attempts }) => ({
        name,
        data: { id },
        opts: {
          // With the attempt, so that a retry is not taken for the delivery that BullMQ is just finishing.
          jobId: `${id}-${attempts}`,
          // Retries are the outbox's; this is for deliveries that could not even ask Postgres.
          attempts: deliveryAttempts,
          backoff: { type: 'exponential', delay: deliveryBackoffMs },
          removeOnComplete: true,
          removeOnFail: true,
        },
      })),
    )
  }

  /** A Redis without the mark that was seen there before has lost every job that it held. */
  async #noticeFlush(): Promise<void> {
    const { pool, keys, log } = this.#options
    const found = await this.#redis.get(keys.jobEpoch)
    if (found === null) await this.#redis.set(keys.jobEpoch, randomUUID(), 'NX')
    else if (this.#epoch === undefined) this.#epoch = found
    if (found !== null && found === this.#epoch) return
    if (this.#epoch !== undefined) log.warn('redis was flushed: its jobs are enqueued anew')
    await untakeAllJobs(pool, [])
    this.#epoch = (await this.#redis.get(keys.jobEpoch)) ?? undefined
  }
}
