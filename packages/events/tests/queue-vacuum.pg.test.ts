import { setImmediate } from 'node:timers/promises'

import type { Database } from '@rookery/db'
import { createTestDatabase, type TestDatabase, testRedis } from '@rookery/testkit'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { queueVacuumMs, queueVacuumRows, queueVacuumShare } from '../src/limits.ts'
import { QueueVacuum } from '../src/sequencer/queue-vacuum.ts'
import { Sequencer } from '../src/sequencer/sequencer.ts'
import { countQueued, silent, until } from './event-fixtures.ts'

let db: TestDatabase
let vacuum: QueueVacuum

beforeEach(async () => {
  db = await createTestDatabase()
  vacuum = new QueueVacuum(silent, db.database)
})

afterEach(async () => {
  vi.useRealTimers()
  await db[Symbol.asyncDispose]()
})

/** Queues rows whose numbering only needs eight bytes at 0; returns the pages that the queue has then. */
async function queueRows(): Promise<number> {
  await db.pool.query(
    `insert into event_queue (host_id, account_id, kind, seq_offset, frame)
      select 1, n, 'identity', 0, decode(repeat('00', 100), 'hex') from generate_series(1, $1::integer) as n`,
    [queueVacuumRows],
  )
  const { rows } = await db.pool.query<{ pages: number }>(
    `select pg_relation_size('event_queue') / 8192 as pages`,
  )
  return rows[0]?.pages ?? 0
}

async function takeRows(): Promise<void> {
  await db.pool.query('delete from event_queue')
}

describe('QueueVacuum', () => {
  test('has the space of rows that were taken used again', async () => {
    const pages = await queueRows()
    await takeRows()
    vacuum.note(queueVacuumRows - 1)
    vacuum.note(1)
    await vacuum[Symbol.asyncDispose]()
    expect(await queueRows()).toBe(pages)
  })

  test('leaves few rows, and those of the next seconds, for later', async () => {
    const pages = await queueRows()
    await takeRows()
    vacuum.note(queueVacuumRows - 1)
    await vacuum[Symbol.asyncDispose]()
    const more = await queueRows()
    expect(more).toBeGreaterThan(pages)
    await takeRows()
    vacuum.note(queueVacuumRows)
    await vacuum[Symbol.asyncDispose]()
    expect(await queueRows()).toBe(more)
    expect(await queueRows()).toBe(more)
    await takeRows()
    vacuum.note(queueVacuumRows)
    await vacuum[Symbol.asyncDispose]()
    expect(await queueRows()).toBeGreaterThan(more)
  })

  test.each(['succeeds', 'fails'])(
    'one that takes long, and %s, is followed by a pause in proportion',
    async (end) => {
      vi.useFakeTimers({ toFake: ['performance'] })
      const tookMs = queueVacuumMs
      const query = vi.fn(async () => {
        vi.advanceTimersByTime(tookMs)
        if (end === 'fails') throw new Error('refused')
      })
      const slow = new QueueVacuum(silent, { pool: { query } } as unknown as Database)
      const noteAfter = async (ms: number): Promise<void> => {
        vi.advanceTimersByTime(ms)
        slow.note(queueVacuumRows)
        await setImmediate()
        await slow[Symbol.asyncDispose]()
      }
      await noteAfter(0)
      expect(query).toHaveBeenCalledTimes(1)
      await noteAfter(tookMs / queueVacuumShare - 1)
      expect(query).toHaveBeenCalledTimes(1)
      await noteAfter(1)
      expect(query).toHaveBeenCalledTimes(2)
    },
  )

  test('is told by the leader what its rounds take', async () => {
    await using redis = await testRedis()
    const pages = await queueRows()
    const deps = { log: silent, database: db.database, redis: redis.redis, keys: redis.keys }
    await using sequencer = new Sequencer(deps, { leaseMs: 1_000, retentionMs: 3_600_000 })
    await until(async () => (await countQueued(db.pool)) === 0, 'all are numbered')
    await sequencer[Symbol.asyncDispose]()
    expect(await queueRows()).toBe(pages)
  })
})
