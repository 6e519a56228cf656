import { redisKeys } from '@rookery/redis'
import { createLogger } from '@rookery/telemetry'
import { expect, test } from 'vitest'

import { localNoncesMax } from './limits.ts'
import { RedisReplayStore } from './replay-store.ts'

const deps = {
  redis: { set: () => Promise.reject(new Error('away')) },
  keys: redisKeys('test:'),
  log: createLogger('test', 'silent'),
}
const minuteMs = 60_000

test('without Redis, a process refuses what it saw itself, also with a store that was made anew', async () => {
  expect(await new RedisReplayStore(deps, 1).unique('DPoP', 'one', minuteMs)).toBe(true)
  expect(await new RedisReplayStore(deps, 1).unique('DPoP', 'one', minuteMs)).toBe(false)
  expect(await new RedisReplayStore(deps, 2).unique('DPoP', 'one', minuteMs)).toBe(true)
})

test('without Redis, the memory of all hosts together is bounded', async () => {
  const first = new RedisReplayStore(deps, 3)
  await first.unique('DPoP', 'oldest', minuteMs)
  const others = [new RedisReplayStore(deps, 4), new RedisReplayStore(deps, 5)]
  for (let n = 0; n < localNoncesMax / 2; n++) {
    for (const other of others) await other.unique('DPoP', String(n), minuteMs)
  }
  expect(await first.unique('DPoP', 'oldest', minuteMs)).toBe(true)
})
