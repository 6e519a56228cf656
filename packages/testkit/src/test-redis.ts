import { randomBytes } from 'node:crypto'

import { type Redis, type RedisKeys, createRedis, redisKeys } from '@rookery/redis'
import { createLogger } from '@rookery/telemetry'

import type { RedisAnswer } from './service-broker.ts'
import { service } from './services.ts'

/** A part of the run's Redis of one's own. */
export type TestRedis = AsyncDisposable & {
  readonly url: string
  /** Prefix of every key of this test: give it to what is under test. */
  readonly prefix: string
  /** Key names under `prefix`. */
  readonly keys: RedisKeys
  /** An open connection; closed with this object. */
  readonly redis: Redis
}

/**
 * Returns a connection and a key prefix that nobody else uses. Disposing deletes the keys under the prefix.
 * A test that flushes or restarts Redis starts its own with `startRedis`.
 */
export async function testRedis(): Promise<TestRedis> {
  const { url, prefix: runPrefix } = await service<RedisAnswer>('redis')
  const prefix = `${runPrefix}:${randomBytes(6).toString('hex')}:`
  const redis = createRedis(createLogger('test', 'silent'), url, { blocking: true })
  await redis.ping()
  return {
    url,
    prefix,
    keys: redisKeys(prefix),
    redis,
    async [Symbol.asyncDispose]() {
      let cursor = '0'
      do {
        const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 1_000)
        if (keys.length > 0) await redis.unlink(...keys)
        cursor = next
      } while (cursor !== '0')
      await redis.quit()
    },
  }
}
