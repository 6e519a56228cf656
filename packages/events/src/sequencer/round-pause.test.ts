import { expect, test } from 'vitest'

import {
  busyRoundMs,
  largeRoundBytes,
  largeRoundMs,
  roundMs,
  sequenceBytesMax,
  sequenceRowsMax,
} from '../limits.ts'
import { pauseAfter } from './round-pause.ts'

test('few events are gathered for a short time, many for a long one', () => {
  expect(pauseAfter({ events: 2, bytes: 2_000 }, true)).toBe(roundMs)
  expect(pauseAfter({ events: 2, bytes: 2_000 }, false)).toBe(busyRoundMs)
  expect(pauseAfter({ events: 2, bytes: largeRoundBytes - 1 }, false)).toBe(busyRoundMs)
  expect(pauseAfter({ events: 2, bytes: largeRoundBytes }, false)).toBe(largeRoundMs)
  expect(pauseAfter({ events: 2, bytes: largeRoundBytes }, true)).toBe(largeRoundMs)
  expect(roundMs).toBeLessThan(busyRoundMs)
  expect(busyRoundMs).toBeLessThan(largeRoundMs)
})

test('a round that left events behind is followed at once', () => {
  const bytes = 900_000
  expect(pauseAfter({ events: sequenceRowsMax - 1, bytes }, false)).toBe(largeRoundMs)
  expect(pauseAfter({ events: sequenceRowsMax, bytes }, false)).toBe(0)
  expect(pauseAfter({ events: 1, bytes: sequenceBytesMax }, true)).toBe(0)
})
