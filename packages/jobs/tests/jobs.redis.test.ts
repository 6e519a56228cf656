import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { inTransaction } from '@rookery/db'
import { createRedis } from '@rookery/redis'
import { createLogger } from '@rookery/telemetry'
import { Queue } from 'bullmq'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

import {
  type RunningJob,
  addJob,
  dropOldResults,
  JobDeadError,
  JobRefusedError,
  JobTimeoutError,
} from '../src/index.ts'
import { listJobs, queues, retryDeadJobs, waitForJob } from '../src/index.ts'
import { type Cluster, outboxHas, startCluster, testLeaseMs } from './support.ts'

let cluster: Cluster
let cleanUp = new AsyncDisposableStack()
beforeAll(async () => {
  cluster = await startCluster()
})
afterEach(async () => {
  await cleanUp.disposeAsync()
  cleanUp = new AsyncDisposableStack()
  await cluster.db.pool.query('truncate job_outbox')
})
afterAll(() => cluster[Symbol.asyncDispose]())

type CompactionJob = RunningJob<'repo-compaction'>

/** A processor that counts its runs by account and does what it is told. */
function counting(run: (job: CompactionJob) => Promise<unknown> = () => Promise.resolve()) {
  const runs = new Map<number, number>()
  const processor = (job: CompactionJob): Promise<unknown> => {
    runs.set(job.payload.accountId, (runs.get(job.payload.accountId) ?? 0) + 1)
    return run(job)
  }
  return { runs, processors: { 'repo-compaction': processor } }
}

function aborted(job: CompactionJob): Promise<never> {
  return new Promise((_, reject) => {
    job.signal.addEventListener('abort', () => reject(job.signal.reason as Error))
  })
}

describe('the relay', () => {
  test('starts a job when it is woken, without waiting to look by itself, and removes it when it is done', async () => {
    const { runs, processors } = counting()
    cleanUp.use(cluster.startWorker(processors, { pollMs: 3_600_000 }))
    for (const accountId of [1, 2, 3]) {
      await cluster.add(accountId)
      await vi.waitFor(
        () => {
          // The relay may still be connecting: a message before that is lost, as it may be in life.
          cluster.wake()
          expect(runs.get(accountId)).toBe(1)
        },
        { timeout: 10_000 },
      )
    }
    await outboxHas(cluster.db.pool, 0)
  })

  test('runs nothing that was rolled back', async () => {
    const { runs, processors } = counting()
    cleanUp.use(cluster.startWorker(processors))
    await expect(
      inTransaction(cluster.db.pool, async (tx) => {
        await addJob(tx, { queue: 'repo-compaction', payload: { hostId: 1, tenantId: 1, accountId: 7 } })
        throw new Error('rolled back')
      }),
    ).rejects.toThrow('rolled back')
    await cluster.add(8)
    await outboxHas(cluster.db.pool, 0)
    expect([...runs.keys()]).toEqual([8])
  })

  test('enqueues anew what a flush of Redis took, each job once', async () => {
    const relay = cluster.startRelay()
    for (let accountId = 1; accountId <= 30; accountId++) await cluster.add(accountId)
    await vi.waitFor(async () => {
      expect((await listJobs(cluster.db.pool)).every(({ relayed_at }) => relayed_at !== null)).toBe(true)
    })
    await cluster.flushRedis()
    const { runs, processors } = counting()
    cleanUp.use(cluster.startWorker(processors))
    await outboxHas(cluster.db.pool, 0)
    expect([...runs.values()]).toEqual(Array.from({ length: 30 }, () => 1))
    await relay[Symbol.asyncDispose]()
  })

  test('loses nothing and runs nothing twice while Redis is flushed again and again', async () => {
    const { runs, processors } = counting(() => new Promise((resolve) => setTimeout(resolve, 5)))
    cleanUp.use(cluster.startWorker(processors))
    cleanUp.use(cluster.startWorker(processors))
    for (let accountId = 1; accountId <= 60; accountId++) {
      await cluster.add(accountId)
      if (accountId % 10 === 0) await cluster.flushRedis()
    }
    await outboxHas(cluster.db.pool, 0)
    expect(runs.size).toBe(60)
    expect(Math.max(...runs.values())).toBe(1)
  })

  test('honours runAt', async () => {
    const { runs, processors } = counting()
    cleanUp.use(cluster.startWorker(processors))
    const runAt = new Date(Date.now() + 1_500)
    await cluster.add(1, { runAt })
    await outboxHas(cluster.db.pool, 0)
    expect(runs.get(1)).toBe(1)
    expect(Date.now()).toBeGreaterThanOrEqual(runAt.getTime())
  })
})

describe('two workers', () => {
  test('share the jobs, each run once', async () => {
    const first = counting()
    const second = counting()
    cleanUp.use(cluster.startWorker(first.processors))
    cleanUp.use(cluster.startWorker(second.processors))
    for (let accountId = 1; accountId <= 100; accountId++) await cluster.add(accountId)
    await outboxHas(cluster.db.pool, 0)
    const all = [...first.runs.keys(), ...second.runs.keys()]
    expect(all.length).toBe(100)
    expect(new Set(all).size).toBe(100)
  })

  test('a job that is delivered twice runs once', async () => {
    let end = (): void => {}
    const { runs, processors } = counting(() => new Promise<void>((resolve) => (end = resolve)))
    cleanUp.use(cluster.startWorker(processors))
    cleanUp.use(cluster.startWorker(processors))
    const id = await cluster.add(1)
    await vi.waitFor(() => expect(runs.get(1)).toBe(1))
    const connection = cleanUp.adopt(createRedis(createLogger('test', 'silent'), cluster.redisUrl), (redis) =>
      redis.disconnect(),
    )
    const queue = cleanUp.adopt(
      new Queue('repo-compaction', { connection, prefix: cluster.keys.jobs }),
      (queue) => queue.close(),
    )
    await queue.addBulk(['a', 'b', 'c'].map((jobId) => ({ name: 'again', data: { id }, opts: { jobId } })))
    await vi.waitFor(async () =>
      expect(await queue.getJobCounts('wait', 'active')).toEqual({ wait: 0, active: 1 }),
    )
    end()
    await outboxHas(cluster.db.pool, 0)
    expect(runs.get(1)).toBe(1)
  })
})

describe('a worker', () => {
  test('that is killed in the middle of a job loses it to another', async () => {
    const relay = cleanUp.use(cluster.startRelay())
    const args = [cluster.db.url, cluster.redisUrl, 'test:', String(testLeaseMs)]
    const doomed = spawn(process.execPath, [new URL('doomed-worker.ts', import.meta.url).pathname, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await cluster.add(1)
    relay.wake()
    await once(doomed.stdout, 'data')
    doomed.kill('SIGKILL')
    await once(doomed, 'exit')
    const attempts: number[] = []
    const { runs, processors } = counting((job) => Promise.resolve(attempts.push(job.attempt)))
    cleanUp.use(cluster.startWorker(processors))
    await outboxHas(cluster.db.pool, 0)
    expect(runs.get(1)).toBe(1)
    expect(attempts).toEqual([2])
  })

  test('that stops gives back what it cannot end, without counting the attempt', async () => {
    const hanging = counting(aborted)
    const worker = cluster.startWorker(hanging.processors, { drainMs: 50 })
    await cluster.add(1)
    await vi.waitFor(() => expect(hanging.runs.get(1)).toBe(1))
    await worker[Symbol.asyncDispose]()
    const [job] = await listJobs(cluster.db.pool)
    expect(job).toMatchObject({ state: 'open', attempts: 0, locked_until: null })
    const { runs, processors } = counting()
    cleanUp.use(cluster.startWorker(processors))
    await outboxHas(cluster.db.pool, 0)
    expect(runs.get(1)).toBe(1)
  })

  test('that stops lets running jobs end', async () => {
    let end = (): void => {}
    const { runs, processors } = counting(() => new Promise<void>((resolve) => (end = resolve)))
    const worker = cluster.startWorker(processors, { drainMs: 10_000 })
    await cluster.add(1)
    await vi.waitFor(() => expect(runs.get(1)).toBe(1))
    const stopped = worker[Symbol.asyncDispose]()
    end()
    await stopped
    await outboxHas(cluster.db.pool, 0)
  })

  test('that lost its claim can complete nothing', async () => {
    const outcomes: unknown[] = []
    const { processors } = counting(async (job) => {
      await cluster.db.pool.query(`update job_outbox set locked_by = 'another'`)
      const done = inTransaction(cluster.db.pool, async (tx) => {
        await tx.query('create table effect ()')
        await job.complete(tx)
      })
      await done.catch((error: unknown) => outcomes.push((error as Error).name))
    })
    const worker = cluster.startWorker(processors)
    await cluster.add(1)
    await vi.waitFor(() => expect(outcomes).toEqual(['JobLostError']))
    await worker[Symbol.asyncDispose]()
    const { rows } = await cluster.db.pool.query<{ t: string | null }>(`select to_regclass('effect') as t`)
    expect(rows[0]?.t).toBeNull()
    await outboxHas(cluster.db.pool, 1)
  })

  test('completes a job in the transaction of its effect', async () => {
    const { processors } = counting((job) =>
      cluster.db.database.kysely.transaction().execute((tx) => job.complete(tx, { blobs: 3 })),
    )
    cleanUp.use(cluster.startWorker(processors))
    const id = await cluster.add(1, { keepResult: true })
    expect(await waitForJob(cluster.db.pool, id, { timeoutMs: 10_000 })).toEqual({ blobs: 3 })
  })
})

describe('a failing job', () => {
  test('is tried again after its back-off, then kept as dead and can be retried', async () => {
    let isBroken = true
    const { runs, processors } = counting(() =>
      isBroken ? Promise.reject(new Error('bucket is away')) : Promise.resolve(),
    )
    cleanUp.use(cluster.startWorker(processors))
    const id = await cluster.add(1)
    for (let attempt = 1; attempt < queues['repo-compaction'].attemptsMax; attempt++) {
      await vi.waitFor(async () => {
        const [job] = await listJobs(cluster.db.pool)
        expect(job).toMatchObject({ attempts: attempt, error: 'bucket is away', locked_until: null })
        expect(job?.run_at.getTime()).toBeGreaterThan(Date.now() + 1_000)
      }, 5_000)
      await cluster.db.pool.query('update job_outbox set run_at = now()')
    }
    await outboxHas(cluster.db.pool, 1, 'dead')
    expect(runs.get(1)).toBe(queues['repo-compaction'].attemptsMax)
    expect(await listJobs(cluster.db.pool, { state: 'dead' })).toMatchObject([
      { id, error: 'bucket is away', error_code: 'Error' },
    ])
    isBroken = false
    expect(await retryDeadJobs(cluster.db.pool, { ids: [id] })).toEqual([id])
    await outboxHas(cluster.db.pool, 0)
  })

  test('that kills every worker is given up', async () => {
    const { runs, processors } = counting()
    await cluster.add(1)
    await cluster.db.pool.query('update job_outbox set attempts = $1', [
      queues['repo-compaction'].attemptsMax,
    ])
    cleanUp.use(cluster.startWorker(processors))
    await outboxHas(cluster.db.pool, 1, 'dead')
    expect(runs.size).toBe(0)
  })
})

describe('a dedupe key', () => {
  test('keeps one open job, with the newest payload', async () => {
    const first = await cluster.add(1, { dedupeKey: 'k' })
    expect(await cluster.add(2, { dedupeKey: 'k' })).toBe(first)
    const { runs, processors } = counting()
    cleanUp.use(cluster.startWorker(processors))
    await outboxHas(cluster.db.pool, 0)
    expect([...runs]).toEqual([[2, 1]])
  })

  test('runs a job once more that was asked for while it ran', async () => {
    let end = (): void => {}
    const { runs, processors } = counting(() => new Promise<void>((resolve) => (end = resolve)))
    cleanUp.use(cluster.startWorker(processors))
    await cluster.add(1, { dedupeKey: 'k' })
    await vi.waitFor(() => expect(runs.get(1)).toBe(1))
    await cluster.add(1, { dedupeKey: 'k' })
    await cluster.add(1, { dedupeKey: 'k' })
    end()
    await vi.waitFor(() => expect(runs.get(1)).toBe(2), { timeout: 5_000 })
    end()
    await outboxHas(cluster.db.pool, 0)
    expect(runs.get(1)).toBe(2)
  })
})

describe('waitForJob', () => {
  test('resolves to the result even if Redis is flushed in between', async () => {
    let end = (_result: unknown): void => {}
    const { runs, processors } = counting(() => new Promise((resolve) => (end = resolve)))
    cleanUp.use(cluster.startWorker(processors))
    const id = await cluster.add(1, { keepResult: true })
    const result = waitForJob(cluster.db.pool, id, { timeoutMs: 10_000 })
    await vi.waitFor(() => expect(runs.get(1)).toBe(1))
    await cluster.flushRedis()
    end({ records: 5 })
    expect(await result).toEqual({ records: 5 })
    await cluster.db.pool.query(`update job_outbox set finished_at = now() - interval '2 hours'`)
    expect(await dropOldResults(cluster.db.pool)).toBe(1)
  })

  test('throws what the job refused, at the first attempt', async () => {
    const { runs, processors } = counting(() =>
      Promise.reject(new JobRefusedError('InvalidCar', 'not a CAR')),
    )
    cleanUp.use(cluster.startWorker(processors))
    const id = await cluster.add(1, { keepResult: true })
    const error = await waitForJob(cluster.db.pool, id, { timeoutMs: 10_000 }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(JobRefusedError)
    expect(error).toMatchObject({ reason: 'InvalidCar', message: 'not a CAR' })
    expect(runs.get(1)).toBe(1)
  })

  test('throws when the job is dead, when time is over, and when its signal is aborted', async () => {
    const id = await cluster.add(1, { keepResult: true })
    const db = cluster.db.pool
    await expect(waitForJob(db, id, { timeoutMs: 30 })).rejects.toThrow(JobTimeoutError)
    const reason = new Error('gone')
    const signal = AbortSignal.abort(reason)
    await expect(waitForJob(db, id, { timeoutMs: 30, signal })).rejects.toThrow(reason)
    await db.query(`update job_outbox set state = 'dead', error = 'no'`)
    await expect(waitForJob(db, id, { timeoutMs: 30 })).rejects.toThrow(JobDeadError)
  })
})
