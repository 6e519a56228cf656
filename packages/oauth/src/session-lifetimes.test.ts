import type { TokenInfo } from '@atproto/oauth-provider/store'
import { dayMs, hourMs } from '@rookery/std'
import { describe, expect, test } from 'vitest'

import { isSessionOver } from './session-lifetimes.ts'

const lifetimes = {
  browserMs: dayMs,
  publicSessionMs: 2 * dayMs,
  publicRefreshMs: dayMs,
  confidentialSessionMs: 20 * dayMs,
  confidentialRefreshMs: 10 * dayMs,
}

function session(method: string, age: { sessionMs: number; restMs: number }): Pick<TokenInfo, 'data'> {
  const createdAt = new Date(Date.now() - age.sessionMs)
  const updatedAt = new Date(Date.now() - age.restMs)
  return { data: { clientAuth: { method }, createdAt, updatedAt } } as unknown as Pick<TokenInfo, 'data'>
}

// SPEC OA-25
describe('isSessionOver', () => {
  test.each([
    ['none', 2 * dayMs],
    ['private_key_jwt', 20 * dayMs],
  ])('%s: ends the whole session', (method, endMs) => {
    const [before, after] = [endMs - hourMs, endMs].map((sessionMs) =>
      isSessionOver(session(method, { sessionMs, restMs: 0 }), lifetimes, { isRefresh: false }),
    )
    expect([before, after]).toEqual([false, true])
  })

  test.each([
    ['none', dayMs],
    ['private_key_jwt', 10 * dayMs],
  ])('%s: refuses to refresh what rested, and lets its access token be', (method, endMs) => {
    const rested = session(method, { sessionMs: endMs, restMs: endMs })
    const active = session(method, { sessionMs: endMs, restMs: endMs - hourMs })
    expect(isSessionOver(active, lifetimes, { isRefresh: true })).toBe(false)
    expect(isSessionOver(rested, lifetimes, { isRefresh: true })).toBe(true)
    expect(isSessionOver(rested, lifetimes, { isRefresh: false })).toBe(false)
  })
})
