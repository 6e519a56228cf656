import type { Redis, RedisKeys } from '@rookery/redis'

import { wakePauseMs } from './limits.ts'

/**
 * Returns a function that tells the leader of a committed event. The first call sends a message at once; calls that
 * follow within `wakePauseMs` send one together when that is over. It never fails and nobody waits for it: the
 * leader polls as well.
 */
export function sequencerWaker(redis: Redis, keys: RedisKeys): () => void {
  let isPausing = false
  let isWanted = false
  const send = (): void => {
    isWanted = false
    isPausing = true
    redis.publish(keys.eventWake, '').catch(() => undefined)
    setTimeout(() => {
      isPausing = false
      if (isWanted) send()
    }, wakePauseMs)
  }
  return () => {
    if (isPausing) isWanted = true
    else send()
  }
}
