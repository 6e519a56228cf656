import { expect, test } from 'vitest'

import { declaredAge } from './declared-age.ts'

test.each([
  ['2008-05-10T00:00:00.000Z', '2021-05-09T23:59:59Z', [false, false, false]],
  ['2008-05-10T00:00:00.000Z', '2021-05-10T00:00:00Z', [true, false, false]],
  ['2008-05-10T00:00:00.000Z', '2024-06-01T00:00:00Z', [true, true, false]],
  ['2008-05-10T23:00:00-05:00', '2026-05-10T12:00:00Z', [true, true, false]],
  ['2008-05-10T23:00:00-05:00', '2026-05-11T12:00:00Z', [true, true, true]],
  ['2008-02-29T00:00:00.000Z', '2021-02-28T12:00:00Z', [false, false, false]],
  ['2008-02-29T00:00:00.000Z', '2021-03-01T00:00:00Z', [true, false, false]],
  ['2030-01-01T00:00:00.000Z', '2026-01-01T00:00:00Z', [false, false, false]],
  ['1970-01-01T00:00:00.000Z', '2026-01-01T00:00:00Z', [true, true, true]],
])('who was born %s has on %s reached 13, 16, 18: %j', (birthDate, now, expected) => {
  const { isOverAge13, isOverAge16, isOverAge18 } = declaredAge(birthDate, new Date(now))
  expect([isOverAge13, isOverAge16, isOverAge18]).toEqual(expected)
})
