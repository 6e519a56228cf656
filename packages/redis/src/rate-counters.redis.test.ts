import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startRedis } from '@rookery/local'
import { createLogger } from '@rookery/telemetry'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { RateCounters } from './rate-counters.ts'
import { type Redis, createRedis } from './redis-client.ts'

const limit = { points: 1_000, windowMs: 60_000 }
const log = createLogger('test', 'silent')

let stack: AsyncDisposableStack
let redis: Redis
let stopRedis: () => PromiseLike<void>

beforeAll(async () => {
  stack = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'rookery-redis-'))
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  const server = await startRedis({ dir, durable: false })
  stack.use(server)
  stopRedis = () => server[Symbol.asyncDispose]()
  redis = stack.adopt(createRedis(log, server.url), (each) => each.disconnect())
  await new Promise((resolve) => redis.once('ready', resolve))
})
afterAll(() => stack.disposeAsync())

test('exact points of all processes count together, within one window', async () => {
  const [one, two] = [new RateCounters(log, redis), new RateCounters(log, redis)]
  const first = await one.addExactly('exact', 2, limit)
  expect(first.taken).toBe(2)
  expect(first.resetAtMs).toBeGreaterThan(Date.now())
  expect(await two.addExactly('exact', 3, limit)).toMatchObject({ taken: 5 })
  await two.giveBack('exact', 3, limit)
  expect(await one.addExactly('exact', 1, limit)).toMatchObject({ taken: 3 })
  expect(await redis.pttl('exact')).toBeLessThanOrEqual(limit.windowMs)
})

test('other points are told once a hundredth of the limit has come together, and what others took is learnt', async () => {
  const [one, two] = [new RateCounters(log, redis), new RateCounters(log, redis)]
  const told = () => redis.get('near')
  one.add('near', 1, limit)
  await vi.waitFor(async () => expect(await told()).toBe('1'))
  for (let n = 0; n < 9; n++) one.add('near', 1, limit)
  two.add('near', 1, limit)
  await vi.waitFor(async () => expect(await told()).toBe('2'))
  one.add('near', 1, limit)
  await vi.waitFor(async () => expect(await told()).toBe('12'))
  await vi.waitFor(() => expect(one.add('near', 0, limit).taken).toBe(12))
  for (let n = 0; n < 10; n++) two.add('near', 1, limit)
  await vi.waitFor(() => expect(two.add('near', 0, limit).taken).toBe(22))
})

test('together, processes let no more through than a hundredth of the limit each beyond it', async () => {
  const pods = Array.from({ length: 4 }, () => new RateCounters(log, redis))
  let allowed = 0
  // Ten requests arrive while Redis answers.
  for (let n = 0; n < 2_000; n++) {
    if (pods[n % 4]!.add('shared', 1, limit).taken <= limit.points) allowed++
    if (n % 10 === 0) await redis.ping()
  }
  expect(allowed).toBeGreaterThanOrEqual(limit.points)
  expect(allowed).toBeLessThanOrEqual(limit.points * 1.04 + 10)
  // What is refused is not told.
  expect(Number(await redis.get('shared'))).toBeLessThanOrEqual(limit.points * 1.05)
})

test('a window that has ended begins anew', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    const counters = new RateCounters(log, redis)
    const short = { points: 2, windowMs: 1_000 }
    for (let n = 0; n < 5; n++) counters.add('short', 1, short)
    expect(counters.add('short', 1, short).taken).toBe(3)
    vi.setSystemTime(Date.now() + 1_100)
    expect(counters.add('short', 1, short).taken).toBe(1)
  } finally {
    vi.useRealTimers()
  }
})

test('each process counts for itself while Redis is away', async () => {
  const counters = new RateCounters(log, redis)
  expect(await counters.addExactly('away', 1, limit)).toMatchObject({ taken: 1 })
  await stopRedis()
  await vi.waitFor(() => expect(redis.status).not.toBe('ready'))
  expect(await counters.addExactly('away', 1, limit)).toMatchObject({ taken: 1 })
  expect(await counters.addExactly('away', 1, limit)).toMatchObject({ taken: 2 })
  await counters.giveBack('away', 1, limit)
  for (let n = 0; n < 50; n++) counters.add('away too', 1, limit)
  expect(counters.add('away too', 1, limit).taken).toBe(51)
})
