import type { Redis, RedisKeys } from '@rookery/redis'

/** Makes the relays look for new jobs at once; call it after the commit. Never fails: they also look by themselves. */
export function wakeJobs(redis: Redis, keys: RedisKeys): void {
  redis.publish(keys.jobWake, '').catch(() => {
    // Redis is away; the relays poll.
  })
}
