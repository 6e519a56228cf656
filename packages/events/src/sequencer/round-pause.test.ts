import { expect, test } from 'vitest'

import { busyRoundMs, fullRoundBytes, fullRoundMs, roundMs } from '../limits.ts'
import { pauseAfter } from './round-pause.ts'

test('few events are gathered for a short time, many for a long one', () => {
  expect(pauseAfter(2_000, true)).toBe(roundMs)
  expect(pauseAfter(2_000, false)).toBe(busyRoundMs)
  expect(pauseAfter(fullRoundBytes - 1, false)).toBe(busyRoundMs)
  expect(pauseAfter(fullRoundBytes, false)).toBe(fullRoundMs)
  expect(pauseAfter(fullRoundBytes, true)).toBe(fullRoundMs)
  expect(roundMs).toBeLessThan(busyRoundMs)
  expect(busyRoundMs).toBeLessThan(fullRoundMs)
})
