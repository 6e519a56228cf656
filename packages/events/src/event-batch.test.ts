import fc from 'fast-check'
import { expect, test } from 'vitest'

import { countEvents, takeMessages } from './event-batch.ts'
import { websocketFrame } from './frames/websocket-frame.ts'

type Event = { seq: number; hostId: number; frame: Buffer }

/** Lays out a batch as the database does. */
function batch(events: readonly Event[]): Buffer {
  const parts = events.flatMap(({ seq, hostId, frame }) => {
    const head = Buffer.alloc(16)
    head.writeBigUInt64BE(BigInt(seq))
    head.writeUInt32BE(hostId, 8)
    head.writeUInt32BE(frame.length, 12)
    return [head, frame]
  })
  return Buffer.concat(parts)
}

const lengths = fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(125, 126, 65_535, 65_536, 70_000))
const event = fc
  .record({
    seq: fc.maxSafeNat(),
    hostId: fc.nat({ max: 0x7fff_ffff }),
    length: lengths,
    fill: fc.nat({ max: 255 }),
  })
  .map(({ seq, hostId, length, fill }) => ({ seq, hostId, frame: Buffer.alloc(length, fill) }))

test('every event of a batch becomes the WebSocket message of its frame, in its place', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), (events) => {
      const bytes = batch(events)
      expect(countEvents(bytes)).toBe(events.length)
      const taken = takeMessages(bytes)
      expect(taken.map(({ seq, hostId }) => [seq, hostId])).toEqual(
        events.map(({ seq, hostId }) => [seq, hostId]),
      )
      for (const [i, { frame }] of events.entries()) {
        expect(taken[i]?.message.equals(websocketFrame(frame))).toBe(true)
        expect(taken[i]?.message.buffer).toBe(bytes.buffer)
      }
    }),
  )
})
