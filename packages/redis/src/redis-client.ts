import type { Logger } from '@rookery/telemetry'
import { Redis } from 'ioredis'

export type { Redis } from 'ioredis'

/**
 * Returns a connection that reconnects for ever, with a delay of at most two seconds. Commands fail at once while
 * it is down: Redis is a wake-up and a cache, and nobody may wait for it. The caller quits it.
 *
 * @param options.blocking for connections that block in XREAD or belong to BullMQ: commands then wait for the
 * connection instead of failing.
 * @param options.commandTimeoutMs longest wait for an answer, in milliseconds. Default: without end.
 */
export function createRedis(
  log: Logger,
  url: string,
  options: { blocking?: boolean; commandTimeoutMs?: number } = {},
): Redis {
  const redis = new Redis(url, {
    lazyConnect: false,
    enableOfflineQueue: options.blocking === true,
    maxRetriesPerRequest: options.blocking === true ? null : 0,
    connectTimeout: 5_000,
    ...(options.commandTimeoutMs === undefined ? {} : { commandTimeout: options.commandTimeoutMs }),
    retryStrategy: (attempt) => Math.min(2_000, 50 * 2 ** attempt),
  })
  let isDown = false
  redis.on('error', (error: Error) => {
    if (!isDown) log.warn({ err: error }, 'redis is away')
    isDown = true
  })
  redis.on('ready', () => {
    if (isDown) log.info('redis is back')
    isDown = false
  })
  return redis
}
