import { hourMs } from '@rookery/std'
import { describe, expect, test } from 'vitest'

import { blobKey, newObjectName } from './blob-store.ts'

describe('newObjectName', () => {
  const nowMs = 1_234 * hourMs

  test('is another one each time, in a key as well', () => {
    const names = Array.from({ length: 100 }, () => newObjectName(nowMs))
    expect(new Set(names).size).toBe(100)
    for (const name of names) expect(blobKey({ hostId: 1, accountId: 2, name })).toBe(`1/2/${name}`)
  })

  test('begins alike within an hour only, for two hundred and fifty-six hours', () => {
    const start = (ms: number): string => newObjectName(ms).slice(0, 2)
    expect(start(nowMs + hourMs - 1)).toBe(start(nowMs))
    const hours = Array.from({ length: 256 }, (_, n) => start(nowMs + n * hourMs))
    expect(new Set(hours).size).toBe(256)
  })
})
