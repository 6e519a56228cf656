export { type RedisKeys, redisKeys } from './keys.ts'
export { type Redis, createRedis } from './redis-client.ts'
