import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { FrameParser } from './frame-parser.ts'

/** A frame as a server sends it. */
function frame(opcode: number, payload: Buffer, isFinal = true): Buffer {
  const first = (isFinal ? 0x80 : 0) | opcode
  if (payload.length < 126) return Buffer.concat([Buffer.from([first, payload.length]), payload])
  const header = payload.length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10)
  header[0] = first
  header[1] = payload.length < 65_536 ? 126 : 127
  if (payload.length < 65_536) header.writeUInt16BE(payload.length, 2)
  else header.writeBigUInt64BE(BigInt(payload.length), 2)
  return Buffer.concat([header, payload])
}

const payloads = [0, 1, 125, 126, 70_000].map((size) => Buffer.alloc(size, size % 251))
const stream = Buffer.concat([
  ...payloads.map((payload) => frame(2, payload)),
  frame(9, Buffer.from('ping')),
  frame(2, Buffer.from('split '), false),
  frame(0, Buffer.from('in two')),
  frame(8, Buffer.alloc(0)),
])

function parse(cuts: readonly number[], keeps: boolean) {
  const seen = { messages: [] as (Buffer | undefined)[], pings: [] as string[], closes: 0 }
  const parser = new FrameParser(keeps, {
    onMessage: (payload) => seen.messages.push(payload),
    onPing: (payload) => seen.pings.push(payload.toString()),
    onClose: () => seen.closes++,
  })
  let start = 0
  for (const end of [...cuts, stream.length].sort((a, b) => a - b)) {
    parser.take(stream.subarray(start, end))
    start = end
  }
  return seen
}

describe('FrameParser', () => {
  test('finds the same frames however the stream is cut', () => {
    const anywhere = fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 30 })
    fc.assert(
      fc.property(anywhere, (cuts) => {
        const seen = parse(cuts, true)
        expect(payloads.every((payload, n) => seen.messages[n]?.equals(payload))).toBe(true)
        expect(seen.messages.at(-1)?.toString()).toBe('split in two')
        expect(seen.pings).toEqual(['ping'])
        expect(seen.closes).toBe(1)
      }),
    )
  })

  test('counts messages without keeping them', () => {
    expect(parse([], false).messages).toEqual(Array.from({ length: 6 }, () => undefined))
  })
})
