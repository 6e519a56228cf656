import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { NumberedMessage } from '../event-batch.ts'
import { EventRing } from './event-ring.ts'

const startSeq = 1_000
const arrivals = fc.array(
  fc.record({
    step: fc.integer({ min: 1, max: 5 }),
    hostId: fc.integer({ min: 1, max: 3 }),
    bytes: fc.integer({ min: 1, max: 60 }),
  }),
  { maxLength: 200 },
)

/** Reads a host's messages from a position to the head, as a subscriber does. */
function readAll(ring: EventRing, hostId: number, seq: number, bytesMax: number): [string, number] {
  let read = ''
  let position = seq
  for (;;) {
    const chunk = ring.chunkAfter(hostId, position, bytesMax)
    if (!chunk) return [read, position]
    read += chunk.bytes.toString()
    position = chunk.throughSeq
  }
}

describe('EventRing', () => {
  test('from any position that it covers, it has exactly the events that follow', () => {
    fc.assert(
      fc.property(
        arrivals,
        fc.integer({ min: 60, max: 500 }),
        fc.integer({ min: 1, max: 200 }),
        (all, bytesMax, chunkMax) => {
          const ring = new EventRing(startSeq, bytesMax)
          const entries: NumberedMessage[] = []
          let seq = startSeq
          for (const { step, hostId, bytes } of all) {
            seq += step
            entries.push({ seq, hostId, message: Buffer.from(`${seq},`.padEnd(bytes, '.')) })
            ring.append(entries.at(-1)!)
            expect(ring.bytes).toBeLessThanOrEqual(bytesMax)
          }
          for (const hostId of [1, 2, 3]) {
            for (let from = startSeq; from <= seq; from += 3) {
              if (!ring.covers(hostId, from)) continue
              const expected = entries.filter((entry) => entry.hostId === hostId && entry.seq > from)
              expect(readAll(ring, hostId, from, chunkMax)).toEqual([
                expected.map(({ message }) => message.toString()).join(''),
                expected.at(-1)?.seq ?? from,
              ])
            }
            expect(ring.covers(hostId, seq)).toBe(true)
          }
        },
      ),
    )
  })

  test('does not cover positions before its start', () => {
    const ring = new EventRing(startSeq, 100)
    expect(ring.covers(1, startSeq - 1)).toBe(false)
    expect(ring.covers(1, startSeq)).toBe(true)
  })

  test('lets the oldest go, and with it the positions before it, of that host only', () => {
    const ring = new EventRing(startSeq, 20)
    ring.append({ seq: 1_001, hostId: 1, message: Buffer.alloc(10) })
    ring.append({ seq: 1_002, hostId: 2, message: Buffer.alloc(10) })
    ring.append({ seq: 1_003, hostId: 2, message: Buffer.alloc(10) })
    expect(ring.covers(1, startSeq)).toBe(false)
    expect(ring.covers(1, 1_001)).toBe(true)
    expect(ring.covers(2, startSeq)).toBe(true)
    expect(ring.bytes).toBe(20)
  })

  test('subscribers at one position share the joined bytes', () => {
    const ring = new EventRing(startSeq, 1_000)
    for (let n = 1; n < 5; n++) ring.append({ seq: startSeq + n, hostId: 1, message: Buffer.alloc(10, n) })
    const chunk = ring.chunkAfter(1, startSeq, 1_000)
    expect(chunk?.bytes).toHaveLength(40)
    expect(ring.chunkAfter(1, startSeq, 1_000)).toBe(chunk)
  })

  test('a message larger than a chunk goes alone', () => {
    const ring = new EventRing(startSeq, 1_000)
    ring.append({ seq: 1_001, hostId: 1, message: Buffer.alloc(500) })
    ring.append({ seq: 1_002, hostId: 1, message: Buffer.alloc(10) })
    expect(ring.chunkAfter(1, startSeq, 100)).toMatchObject({ throughSeq: 1_001 })
  })

  test('keeps its arrays short over many events', () => {
    const ring = new EventRing(startSeq, 100)
    for (let n = 1; n <= 10_000; n++) {
      ring.append({ seq: startSeq + n, hostId: 1, message: Buffer.from(`${n};`.padEnd(20)) })
    }
    expect(readAll(ring, 1, startSeq + 9_995, 1_000)[0].replaceAll(' ', '')).toBe(
      '9996;9997;9998;9999;10000;',
    )
  })
})
