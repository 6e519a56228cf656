export { type TestBlobStore, createTestBlobStore } from './test-blob-store.ts'
export { LeakedConnectionsError, type TestDatabase, createTestDatabase } from './test-database.ts'
export { type TestRedis, testRedis } from './test-redis.ts'
