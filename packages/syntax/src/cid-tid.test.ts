import fc from 'fast-check'
import { base32 } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { describe, expect, test } from 'vitest'

import {
  InvalidCidError,
  cidForCbor,
  cidForRawDigest,
  cidToString,
  isBase32Cid,
  isRawCid,
  parseCid,
  tryParseCid,
} from './cid.ts'
import { TidClock, isTid, tidAfter, tidFrom, tidMicros } from './tid.ts'

describe('CIDs', () => {
  test('have the text of multiformats and read it back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.boolean(), (digest, raw) => {
        const cid = raw ? cidForRawDigest(digest) : cidForCbor(digest)
        const text = cidToString(cid)
        expect(text).toBe(CID.decode(cid).toString())
        expect(Buffer.compare(parseCid(text), cid)).toBe(0)
        expect(isRawCid(cid)).toBe(raw)
      }),
    )
  })

  test('of any codec and hash are told from other text as multiformats does', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .tuple(fc.nat(300), fc.nat(300), fc.uint8Array({ maxLength: 40 }))
        .map(([codec, hash, digest]) => CID.createV1(codec, Digest.create(hash, digest)).bytes),
    )
    fc.assert(
      fc.property(bytes, (cid) => {
        const text = base32.encode(cid)
        expect(isBase32Cid(text)).toBe(parses(text))
        expect(isBase32Cid(text.slice(0, -1))).toBe(parses(text.slice(0, -1)))
      }),
    )
  })

  // SPEC DM-7
  test('of another version, codec, hash, base or length are refused', () => {
    const text = cidToString(cidForCbor(Buffer.from('a')))
    for (const wrong of [
      text.toUpperCase(),
      text.slice(1),
      `${text}a`,
      text.replace(/.$/, '1'),
      'QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR',
    ]) {
      expect(tryParseCid(wrong)).toBeUndefined()
      expect(() => parseCid(wrong)).toThrow(InvalidCidError)
    }
    const dagPb = CID.decode(Buffer.concat([Buffer.from([1, 0x70, 0x12, 0x20]), Buffer.alloc(32)])).toString()
    expect(tryParseCid(dagPb)).toBeUndefined()
  })
})

describe('TIDs', () => {
  // SPEC ID-2, ID-4
  test('sort as their instants do and give them back', () => {
    const micros = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
    const clockId = fc.integer({ min: 0, max: 1023 })
    fc.assert(
      fc.property(micros, clockId, micros, clockId, (a, idA, b, idB) => {
        const [first, second] = [tidFrom(a, idA), tidFrom(b, idB)]
        expect(isTid(first)).toBe(true)
        expect(tidMicros(first)).toBe(a)
        expect(first < second).toBe(a === b ? idA < idB : a < b)
        expect(tidAfter(first) > first).toBe(true)
      }),
    )
  })

  // SPEC ID-3
  test('of one clock never repeat or go back, whatever the clock does', () => {
    const readings = [5, 5, 3, 9, 1]
    const clock = new TidClock(() => readings.shift() ?? 0, 7)
    const made = Array.from({ length: 8 }, () => clock.next())
    expect(made.toSorted()).toEqual(made)
    expect(new Set(made).size).toBe(made.length)
    expect(clock.next('7777777777777') > '7777777777777').toBe(true)
  })
})

function parses(text: string): boolean {
  try {
    return CID.parse(text).version === 1
  } catch {
    return false
  }
}
