import type { Redis, RedisKeys } from '@rookery/redis'

/**
 * Returns a function that tells the leader of a committed event. Calls coalesce: while one message is on its way,
 * any number of further calls send one more. It never fails and nobody waits for it: the leader polls as well.
 */
export function sequencerWaker(redis: Redis, keys: RedisKeys): () => void {
  let isSending = false
  let isWanted = false
  const send = async (): Promise<void> => {
    isSending = true
    do {
      isWanted = false
      await redis.publish(keys.eventWake, '').catch(() => undefined)
    } while (isWanted)
    isSending = false
  }
  return () => {
    isWanted = true
    if (!isSending) void send()
  }
}
