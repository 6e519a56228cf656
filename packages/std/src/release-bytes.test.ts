import { describe, expect, test } from 'vitest'

import { releaseBytes } from './release-bytes.ts'

describe('releaseBytes', () => {
  test('empties bytes that have their memory for themselves', () => {
    const bytes = Buffer.allocUnsafeSlow(100)
    releaseBytes(bytes)
    expect(bytes).toHaveLength(0)
    expect(bytes.buffer).toHaveProperty('detached', true)
  })

  test('may be asked again, and for nothing', () => {
    const bytes = Buffer.allocUnsafeSlow(100)
    for (const each of [bytes, bytes, Buffer.alloc(0)]) releaseBytes(each)
    expect(bytes).toHaveLength(0)
  })

  test('leaves a part of something larger, and memory that is shared', () => {
    const bytes = Buffer.alloc(100, 1)
    releaseBytes(bytes.subarray(1))
    expect(bytes).toHaveLength(100)
    const shared = new Uint8Array(new SharedArrayBuffer(4))
    releaseBytes(shared)
    expect(shared).toHaveLength(4)
  })
})
