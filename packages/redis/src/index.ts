export { type RedisKeys, redisKeys } from './keys.ts'
export { type RateCount, RateCounters } from './rate-counters.ts'
export { type Redis, createRedis } from './redis-client.ts'
