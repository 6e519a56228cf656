export { LeakedConnectionsError, type TestDatabase, createTestDatabase } from './test-database.ts'
export { type TestRedis, testRedis } from './test-redis.ts'
