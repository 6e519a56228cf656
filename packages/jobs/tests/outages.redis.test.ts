import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startRedis } from '@rookery/local'
import { redisKeys } from '@rookery/redis'
import { createLogger } from '@rookery/telemetry'
import { createTestDatabase } from '@rookery/testkit'
import { expect, test } from 'vitest'

import { JobRelay, JobRunner, JobSchedules, addJob } from '../src/index.ts'
import { outboxHas } from './support.ts'

const log = createLogger('test', 'silent')

test('jobs added while Redis is away start when it is back, and the worker stops without it', async () => {
  await using stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'rookery-jobs-'))
  stack.defer(() => rm(dir, { recursive: true }))
  const db = stack.use(await createTestDatabase())
  const first = await startRedis({ dir, durable: false })
  const common = { log, pool: db.pool, redisUrl: first.url, keys: redisKeys('test:') }
  const runs: string[] = []
  stack.use(new JobRelay(common))
  const processors = {
    'blob-gc': (job: { payload: { of: string } }) => Promise.resolve(runs.push(job.payload.of)),
  }
  const runner = new JobRunner({ ...common, processors, drainMs: 100 })
  await addJob(db.pool, { queue: 'blob-gc', payload: { of: 'orphans' } })
  await outboxHas(db.pool, 0)
  await first.stop()
  await addJob(db.pool, { queue: 'blob-gc', payload: { of: 'unreferenced' } })
  const second = stack.use(await startRedis({ dir, port: first.port, durable: false }))
  await outboxHas(db.pool, 0)
  expect(runs).toEqual(['orphans', 'unreferenced'])
  await second.stop()
  const from = performance.now()
  await runner[Symbol.asyncDispose]()
  expect(performance.now() - from).toBeLessThan(5_000)
})

test('a worker started while Redis is away begins when it comes', async () => {
  await using stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'rookery-jobs-'))
  stack.defer(() => rm(dir, { recursive: true }))
  const db = stack.use(await createTestDatabase())
  const first = await startRedis({ dir, durable: false })
  await first.stop()
  const common = { log, pool: db.pool, redisUrl: first.url, keys: redisKeys('test:') }
  await addJob(db.pool, { queue: 'blob-gc', payload: { of: 'orphans' } })
  stack.use(new JobRelay(common))
  const server = stack.use(await startRedis({ dir, port: first.port, durable: false }))
  expect(server.port).toBe(first.port)
  stack.use(new JobRunner({ ...common, processors: { 'blob-gc': () => Promise.resolve() }, drainMs: 100 }))
  await outboxHas(db.pool, 0)
})

test('schedules run once per period, whatever the number of workers, and not at all when they fail', async () => {
  await using stack = new AsyncDisposableStack()
  const db = stack.use(await createTestDatabase())
  const ran: string[] = []
  const schedules = [
    { name: 'broken', everyMs: 60_000, run: () => Promise.reject(new Error('broken')) },
    {
      name: 'hourly',
      everyMs: 3_600_000,
      run: async (tx: Parameters<typeof addJob>[0]) => {
        ran.push('hourly')
        await addJob(tx, { queue: 'blob-gc', payload: { of: 'orphans' } })
      },
    },
  ]
  for (let n = 0; n < 3; n++) stack.use(new JobSchedules({ log, pool: db.pool, schedules }))
  await outboxHas(db.pool, 1)
  await db.pool.query(`update job_schedule set last_run_at = now() - interval '2 hours'`)
  await outboxHas(db.pool, 2)
  expect(ran).toEqual(['hourly', 'hourly'])
  const { rows } = await db.pool.query<{ name: string }>('select name from job_schedule')
  expect(rows).toEqual([{ name: 'hourly' }])
})
