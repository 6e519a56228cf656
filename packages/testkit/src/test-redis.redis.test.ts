import { expect, test } from 'vitest'

import { testRedis } from './test-redis.ts'

test('disposing deletes the keys under the prefix and no others', async () => {
  await using other = await testRedis()
  await other.redis.set(`${other.prefix}kept`, 'yes')
  const mine = await testRedis()
  await mine.redis.set(`${mine.prefix}gone`, 'yes')
  await mine[Symbol.asyncDispose]()
  expect(await other.redis.exists(`${mine.prefix}gone`)).toBe(0)
  expect(await other.redis.get(`${other.prefix}kept`)).toBe('yes')
})
