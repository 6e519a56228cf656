import { describe, expect, test } from 'vitest'

import { rateBuckets, rateLimitOf, rateOverridesText } from './rate-limits.ts'

describe('rateOverridesText', () => {
  test('reads limits of buckets and of single keys, in seconds, and those that are lifted', () => {
    const text = 'global-ip=10000/300, repo-write-day=off,global-ip@2001:db8::/64=5/1,sign-in@a=b@c=0/60'
    expect(rateOverridesText.parse(text)).toEqual({
      'global-ip': { points: 10_000, windowMs: 300_000 },
      'repo-write-day': null,
      'global-ip@2001:db8::/64': { points: 5, windowMs: 1_000 },
      'sign-in@a=b@c': { points: 0, windowMs: 60_000 },
    })
    expect(rateOverridesText.parse('')).toEqual({})
  })

  test.each(['global=1/1', 'global-ip', 'global-ip=1', 'global-ip=1/0', 'global-ip@=1/1', 'toString=1/1'])(
    'refuses %s',
    (text) => {
      expect(rateOverridesText.safeParse(text).success).toBe(false)
    },
  )
})

test('a key of its own goes before a bucket, a narrower scope before a wider one, all before the default', () => {
  const [tenant, host, cluster] = ['global-ip=1/1', 'global-ip=2/1,sign-in=off', 'global-ip@me=3/1'].map(
    (text) => rateOverridesText.parse(text),
  )
  const scopes = [tenant, host, cluster]
  expect(rateLimitOf(scopes, 'global-ip', 'me')?.points).toBe(3)
  expect(rateLimitOf(scopes, 'global-ip', 'other')?.points).toBe(1)
  expect(rateLimitOf([undefined, host, cluster], 'global-ip', 'other')?.points).toBe(2)
  expect(rateLimitOf(scopes, 'sign-in', 'me')).toBeNull()
  expect(rateLimitOf(scopes, 'get-repo-ip', 'me')).toBe(rateBuckets['get-repo-ip'])
})
