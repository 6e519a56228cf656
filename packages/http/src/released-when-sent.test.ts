import { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'

import { describe, expect, test } from 'vitest'

import { releasedWhenSent } from './released-when-sent.ts'

/** A slow receiver that keeps copies of what it is given and says afterwards that it has taken it. */
function receiver(): { answer: Writable; received: Buffer[] } {
  const received: Buffer[] = []
  const answer = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => {
      received.push(Buffer.from(chunk))
      setImmediate(done)
    },
  })
  return { answer, received }
}

describe('releasedWhenSent', () => {
  test('sends everything in order and gives the memory of each chunk back', async () => {
    const chunks = [1, 2, 3].map((n) => Buffer.allocUnsafeSlow(10_000).fill(n))
    const expected = Buffer.concat(chunks)
    const { answer, received } = receiver()
    releasedWhenSent(Readable.from(chunks)).pipe(answer)
    await finished(answer)
    expect(Buffer.concat(received).equals(expected)).toBe(true)
    expect(chunks.map((chunk) => chunk.length)).toEqual([0, 0, 0])
  })

  test('takes no more than the receiver does', async () => {
    let made = 0
    const body = new Readable({
      highWaterMark: 1,
      read() {
        this.push(++made > 50 ? null : Buffer.alloc(10))
      },
    })
    const { answer, received } = receiver()
    let aheadMax = 0
    answer.on('drain', () => (aheadMax = Math.max(aheadMax, made - received.length)))
    releasedWhenSent(body).pipe(answer)
    await finished(answer)
    expect(received).toHaveLength(50)
    expect(aheadMax).toBeLessThan(5)
  })
})
