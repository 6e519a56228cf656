import { loadConfig } from '@rookery/config'
import { appendEvent, encodeIdentityFrame, sequencerWaker } from '@rookery/events'
import { createLogger } from '@rookery/telemetry'
import { createTestDatabase, testRedis } from '@rookery/testkit'
import { expect, test } from 'vitest'

import { startSequencer } from '../src/app.ts'

test('one of two processes leads; when it stops, the other goes on at once', async () => {
  await using db = await createTestDatabase()
  await using redis = await testRedis()
  const config = loadConfig(['sequencer'], {
    ROOKERY_DATABASE_URL: db.url,
    ROOKERY_REDIS_URL: redis.url,
    ROOKERY_REDIS_PREFIX: redis.prefix,
    ROOKERY_HTTP_INTERNAL_PORT: '0',
  })
  const log = createLogger('test', 'silent')
  const first = await startSequencer(config, log)
  await expect.poll(() => first.isLeader()).toBe(true)
  await using second = await startSequencer(config, log)
  for (const { internalPort } of [first, second]) {
    expect((await fetch(`http://127.0.0.1:${internalPort}/readyz`)).status).toBe(200)
  }
  expect(second.isLeader()).toBe(false)
  await first[Symbol.asyncDispose]()
  await expect.poll(() => second.isLeader(), { timeout: 2_000 }).toBe(true)
  const frame = encodeIdentityFrame({ did: 'did:plc:a', time: '2026-01-01T00:00:00.000Z' })
  await appendEvent(db.pool, { hostId: 1, accountId: 1, kind: 'identity', frame })
  sequencerWaker(redis.redis, redis.keys)()
  await expect.poll(() => redis.redis.xlen(redis.keys.eventStream)).toBe(1)
})
