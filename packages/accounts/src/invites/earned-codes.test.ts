import { describe, expect, test } from 'vitest'

import { openInviteCodesMax } from '../limits.ts'
import { codesToMake } from './earned-codes.ts'

const hour = 3_600_000
const none = { sinceEpoch: 0, open: 0 }

function make(of: { epoch?: number; created?: number; now: number }, earned = none): number {
  const { epoch = 0, created = 0, now } = of
  const account = { createdAtMs: created * hour, nowMs: now * hour }
  return codesToMake({ intervalMs: hour, epochMs: epoch * hour }, account, earned)
}

describe('codesToMake', () => {
  test('gives one for each whole interval of the account’s life', () => {
    expect([0, 0.9, 1, 2.5].map((now) => make({ now }))).toEqual([0, 0, 1, 2])
    expect(make({ created: 10, now: 12 })).toBe(2)
  })

  test('counts from the epoch on, by the account’s own intervals', () => {
    expect(make({ epoch: 7, now: 10 })).toBe(3)
    // The interval in which the epoch lies ends after it.
    expect(make({ epoch: 7.5, now: 8 })).toBe(1)
    expect(make({ epoch: 20, now: 10 })).toBe(0)
  })

  test('leaves out what was made since the epoch, and not what was made before', () => {
    expect(make({ now: 4 }, { sinceEpoch: 3, open: 0 })).toBe(1)
    expect(make({ now: 4 }, { sinceEpoch: 9, open: 0 })).toBe(0)
  })

  test('never leaves more than openInviteCodesMax open', () => {
    expect(make({ now: 100 })).toBe(openInviteCodesMax)
    expect(make({ now: 100 }, { sinceEpoch: 4, open: 4 })).toBe(openInviteCodesMax - 4)
    expect(make({ now: 100 }, { sinceEpoch: 0, open: openInviteCodesMax + 1 })).toBe(0)
  })
})
