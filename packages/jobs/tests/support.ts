import { type JobState, type Queryable, inTransaction } from '@rookery/db'
import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { type Redis as RedisServer, startRedis } from '@rookery/local'
import { type RedisKeys, createRedis, redisKeys } from '@rookery/redis'
import { createLogger } from '@rookery/telemetry'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, vi } from 'vitest'

import { addJob } from '../src/add-job.ts'
import type { JobProcessors } from '../src/job-processor.ts'
import { JobRelay } from '../src/job-relay.ts'
import { JobRunner } from '../src/job-runner.ts'
import { wakeJobs } from '../src/wake-jobs.ts'

const log = createLogger('test', process.env['TEST_LOG'] ?? 'silent')

/** Short lease, so that the death of a worker is noticed within a test. */
export const testLeaseMs = 600

/** A database and a Redis server of one's own, with workers that are stopped with it. */
export type Cluster = AsyncDisposable & {
  db: TestDatabase
  redisUrl: string
  keys: RedisKeys
  server: RedisServer
  /** Starts a runner and its relay, as a worker process does. */
  startWorker(processors: JobProcessors, options?: { drainMs?: number; pollMs?: number }): Worker
  startRelay(): JobRelay
  /** Adds a repo-compaction job for the account and wakes the relays. */
  add(
    accountId: number,
    options?: { dedupeKey?: string; keepResult?: boolean; runAt?: Date },
  ): Promise<number>
  /** Tells the relays that there is something to do. */
  wake(): void
  flushRedis(): Promise<void>
}

type Worker = AsyncDisposable & { runner: JobRunner; relay: JobRelay }

export async function startCluster(): Promise<Cluster> {
  const stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'rookery-jobs-'))
  stack.defer(() => rm(dir, { recursive: true }))
  const db = stack.use(await createTestDatabase({ poolMax: 20 }))
  const server = stack.use(await startRedis({ dir, durable: false }))
  const keys = redisKeys('test:')
  const redis = stack.adopt(createRedis(log, server.url, { blocking: true }), (it) => it.disconnect())
  const workers = stack.use(new AsyncDisposableStack())
  const common = { log, pool: db.pool, redisUrl: server.url, keys }
  return {
    db,
    server,
    keys,
    redisUrl: server.url,
    startRelay: () => workers.use(new JobRelay({ ...common, relayAgainMs: 2 * testLeaseMs })),
    startWorker(processors, options = {}) {
      const runner = new JobRunner({
        ...common,
        processors,
        drainMs: options.drainMs ?? 1_000,
        leaseMs: testLeaseMs,
      })
      const { pollMs } = options
      const relay = new JobRelay({
        ...common,
        relayAgainMs: 2 * testLeaseMs,
        ...(pollMs === undefined ? {} : { pollMs }),
      })
      const own = new AsyncDisposableStack()
      own.use(relay)
      own.use(runner)
      workers.defer(() => own.disposeAsync())
      return { runner, relay, [Symbol.asyncDispose]: () => own.disposeAsync() }
    },
    async add(accountId, options = {}) {
      const id = await inTransaction(db.pool, (tx) =>
        addJob(tx, {
          queue: 'repo-compaction',
          payload: { hostId: 1, tenantId: 1, accountId },
          ...options,
        }),
      )
      wakeJobs(redis, keys)
      return id
    },
    wake: () => wakeJobs(redis, keys),
    flushRedis: async () => {
      await redis.flushall()
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Resolves when the outbox holds so many jobs, of a state if given. */
export async function outboxHas(db: Queryable, count: number, state?: JobState): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rows } = await db.query<{ n: number }>(
        'select count(*)::integer as n from job_outbox where $1::text is null or state = $1',
        [state ?? null],
      )
      expect(rows[0]?.n).toBe(count)
    },
    { timeout: 20_000, interval: 20 },
  )
}
