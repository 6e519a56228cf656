import { type Logger, metrics } from '@rookery/telemetry'
import { Redis } from 'ioredis'

export type { Redis } from 'ioredis'

/**
 * Returns a connection that reconnects for ever, with a delay of at most two seconds. Commands fail at once while
 * it is down: Redis is a wake-up and a cache, and nobody may wait for it. The caller quits it.
 *
 * @param url `redis://`, `rediss://`, or `unix://:<password>@localhost/<path of a socket>`.
 * @param options.blocking for connections that block in XREAD or belong to BullMQ: commands then wait for the
 * connection instead of failing.
 * @param options.commandTimeoutMs longest wait for an answer, in milliseconds. Default: without end.
 */
export function createRedis(
  log: Logger,
  url: string,
  options: { blocking?: boolean; commandTimeoutMs?: number } = {},
): Redis {
  const { target, auth } = endpoint(url)
  const redis = new Redis(target, {
    ...auth,
    lazyConnect: false,
    enableOfflineQueue: options.blocking === true,
    maxRetriesPerRequest: options.blocking === true ? null : 0,
    connectTimeout: 5_000,
    ...(options.commandTimeoutMs === undefined ? {} : { commandTimeout: options.commandTimeoutMs }),
    retryStrategy: (attempt) => Math.min(2_000, 50 * 2 ** attempt),
  })
  const counted = metrics.read('rookery_redis_connections', () => [
    [{ state: redis.status === 'ready' ? 'ready' : 'away' }, 1],
  ])
  // Without a next attempt: its owner has closed it.
  redis.on('end', () => counted[Symbol.dispose]())
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

/** Where a URL points to: ioredis takes the path of a Unix socket, and its password beside it. */
function endpoint(url: string): { target: string; auth?: { username: string; password: string } } {
  if (!url.startsWith('unix:')) return { target: url }
  const { pathname, username, password } = new URL(url)
  return { target: decodeURIComponent(pathname), auth: { username, password: decodeURIComponent(password) } }
}
