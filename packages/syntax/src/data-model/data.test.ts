import { isDeepStrictEqual } from 'node:util'

import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'

import { cidForCbor, cidForRawDigest, cidToString } from '../cid.ts'
import { InvalidCborError, InvalidDataError } from '../errors.ts'
import { dataDepthMax, dataElementsMax, dataKeyBytesMax } from '../limits.ts'
import { decodeData, decodeDataObject } from './decode.ts'
import { encodeData } from './encode.ts'
import { blobRefs, links } from './refs.ts'
import { JsonText } from './json-text.ts'
import { type DataObject, type DataValue, checkData, checkDataObject } from './value.ts'

const cborToJson = (bytes: Uint8Array): Buffer => new JsonText(16).cbor(bytes).finish()

const cidText = fc
  .tuple(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.boolean())
  .map(([digest, raw]) => cidToString(raw ? cidForRawDigest(digest) : cidForCbor(digest)))

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', minLength: 20, maxLength: 100 }),
)
const key = fc
  .oneof(fc.string({ minLength: 1 }), fc.string({ unit: 'binary', minLength: 1 }), fc.constant('__proto__'))
  .filter((name) => name !== '' && !['$type', '$link', '$bytes'].includes(name))
const integer = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32),
)

const { value } = fc.letrec<{ value: DataValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    integer,
    text,
    fc.record({ $link: cidText }, { noNullPrototype: true }),
    fc.uint8Array().map((bytes) => ({ $bytes: Buffer.from(bytes).toString('base64').replace(/=+$/, '') })),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 40 }).map((entries) => Object.fromEntries(entries)),
  ),
}))

/** The same value as `@ipld/dag-cbor` wants it: CID and byte objects. */
function forOracle(input: DataValue): unknown {
  if (Array.isArray(input)) return input.map(forOracle)
  if (typeof input !== 'object' || input === null) return input
  if (typeof input['$link'] === 'string') return CID.parse(input['$link'])
  if (typeof input['$bytes'] === 'string') return new Uint8Array(Buffer.from(input['$bytes'], 'base64'))
  return Object.fromEntries(Object.entries(input).map(([name, item]) => [name, forOracle(item)]))
}

describe('encodeData and decodeData', () => {
  // SPEC DM-1
  test('produce the bytes of @ipld/dag-cbor and read them back', () => {
    fc.assert(
      fc.property(value, (input) => {
        checkData(input)
        const bytes = encodeData(input)
        expect(bytes.equals(dagCbor.encode(forOracle(input)))).toBe(true)
        const read = decodeData(bytes)
        expect(isDeepStrictEqual(read, input)).toBe(true)
        expect(encodeData(read).equals(bytes)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  // SPEC DM-1
  test('accept no random bytes but in canonical form', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(reencoded(bytes)).toSatisfy(isNothingOr(bytes))
      }),
      { numRuns: 20_000 },
    )
  })

  test('survive every single-byte change of a real record without accepting a second form', () => {
    const bytes = encodeData(post)
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [0x01, 0x20, 0x40, 0x80, 0xff]) {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ flip
        expect(reencoded(changed)).toSatisfy(isNothingOr(changed))
      }
      expect(() => decodeData(bytes.subarray(0, at))).toThrow(InvalidCborError)
    }
  })

  test('keep a value that a larger one follows', () => {
    const first = encodeData(post)
    const copy = Buffer.from(first)
    encodeData({ text: 'x'.repeat(200_000) })
    expect(first.equals(copy)).toBe(true)
  })

  test('write texts around every length class', () => {
    for (const length of [
      0, 11, 12, 13, 23, 24, 31, 32, 33, 85, 86, 127, 128, 255, 256, 21_845, 21_846, 65_535, 65_536,
    ]) {
      for (const unit of ['a', 'é', '⽘', '😀']) {
        const input = unit.repeat(length)
        expect(encodeData(input).equals(dagCbor.encode(input))).toBe(true)
        expect(decodeData(encodeData(input))).toBe(input)
      }
    }
  })
})

describe('JsonText', () => {
  test('says what decoding and JSON.stringify say', () => {
    fc.assert(
      fc.property(value, (input) => {
        const text = cborToJson(encodeData(input)).toString()
        expect(isDeepStrictEqual(JSON.parse(text), input)).toBe(true)
        // The order of names is CBOR's; but for names like `10`, which JavaScript moves, the text is equal too.
        expect(text.length).toBe(JSON.stringify(input).length)
      }),
      { numRuns: 2_000 },
    )
  })

  test('escapes what JSON wants escaped', () => {
    const input = Array.from({ length: 0x90 }, (_, code) => String.fromCharCode(code)).join('')
    expect(cborToJson(encodeData([input])).toString()).toBe(JSON.stringify([input]))
  })

  test('refuses stored bytes that were cut', () => {
    const bytes = encodeData(post)
    for (let at = 0; at < bytes.length; at++)
      expect(() => cborToJson(bytes.subarray(0, at))).toThrow(InvalidCborError)
  })

  test('takes values out of the middle of bytes, and puts text and CIDs between them', () => {
    const values = [encodeData(post), encodeData({ a: [1, null] })]
    const cid = cidForCbor(encodeData(post))
    const stored = Buffer.concat([cid, ...values, cid])
    const [first = 0, second = 0] = values.map(({ length }) => length)
    const from = cid.length
    const json = new JsonText(0)
      .ascii('["')
      .cid(stored)
      .ascii('",')
      .cbor(stored, from, from + first)
    json
      .ascii(',')
      .cbor(stored, from + first, from + first + second)
      .ascii(',"')
    const text = json
      .cid(stored, from + first + second)
      .ascii('"]')
      .finish()
      .toString()
    expect(JSON.parse(text)).toEqual([cidToString(cid), post, { a: [1, null] }, cidToString(cid)])
    expect(() => new JsonText(0).cbor(stored, from, from + first + 1)).toThrow(InvalidCborError)
    expect(() => new JsonText(0).cbor(stored, from, from + first - 1)).toThrow(InvalidCborError)
  })
})

describe('decodeData', () => {
  // SPEC DM-1, DM-2, DM-3, DM-7, DM-12
  test.each([
    ['a half float', 'f93c00'],
    ['a single float', 'fa3f800000'],
    ['a double', 'fb3ff0000000000000'],
    ['undefined', 'f7'],
    ['an unassigned simple value', 'f8ff'],
    ['an integer in a longer form', '1817'],
    ['an integer in a much longer form', '1b0000000000000001'],
    ['a length in a longer form', '780161'],
    ['an integer above 2^53 - 1', '1b0020000000000000'],
    ['an integer below -(2^53 - 1)', '3b001fffffffffffff'],
    ['an integer of 64 bits', '1bffffffffffffffff'],
    ['an indefinite array', '9fff'],
    ['an indefinite text', '7f6161ff'],
    ['an indefinite map', 'bfff'],
    ['a break', 'ff'],
    ['a repeated key', 'a2616101616102'],
    ['keys out of bytewise order', 'a2616201616101'],
    ['keys out of length order', 'a262616101616102'],
    ['a key that is no text', 'a10101'],
    ['text that is not UTF-8', '62c328'],
    ['a surrogate in UTF-8', '63eda080'],
    ['a tag that is not 42', 'c06161'],
    [
      'a link without its prefix',
      'd82a58250171122000000000000000000000000000000000000000000000000000000000000000000',
    ],
    ['a link to a CIDv0', `d82a5823001220${'00'.repeat(32)}`],
    ['a link with text inside', 'd82a6161'],
    ['a map with $link', 'a165246c696e6b6161'],
    ['a map with $bytes', 'a1662462797465736161'],
    ['bytes after the value', '0000'],
    ['nothing', ''],
    ['an array longer than its bytes', '9a7fffffff'],
    ['text longer than its bytes', '7a7fffffff61'],
    ['a text length beyond 32 bits', '7b000fffffffffffff61'],
    ['bytes longer than its bytes', '5a7fffffff61'],
  ])('refuses %s', (_, hex) => {
    expect(() => decodeData(Buffer.from(hex, 'hex'))).toThrow(InvalidCborError)
  })

  test('accepts nesting of dataDepthMax and refuses one more', () => {
    const nested = (levels: number) => Buffer.from(`${'81'.repeat(levels - 1)}80`, 'hex')
    expect(decodeData(nested(dataDepthMax))).toBeInstanceOf(Array)
    expect(() => decodeData(nested(dataDepthMax + 1))).toThrow(InvalidCborError)
  })

  test('keeps a field named __proto__ as a field', () => {
    const read = decodeDataObject(dagCbor.encode(JSON.parse('{"__proto__":{"a":1}}')))
    expect(Object.keys(read)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
  })

  test('keeps U+FFFD that was written', () => {
    expect(decodeData(encodeData('a\uFFFDb'))).toBe('a\uFFFDb')
  })

  test('decodeDataObject refuses what is no map', () => {
    expect(() => decodeDataObject(encodeData([1]))).toThrow(InvalidCborError)
    expect(() => decodeDataObject(new Uint8Array())).toThrow(InvalidCborError)
  })
})

describe('checkData', () => {
  // SPEC DM-2, DM-3, DM-5, DM-6, DM-12
  test.each([
    ['a float', 1.5],
    ['an unsafe integer', 2 ** 53],
    ['infinity', Infinity],
    ['undefined', { a: undefined }],
    ['a bigint', [1n]],
    ['a lone surrogate', 'a\ud800'],
    ['a lone surrogate in a name', { '\udc00': 1 }],
    ['an empty name', { '': 1 }],
    ['a link that is no CID', { $link: 'bafy' }],
    ['a link beside a field', { $link: cidToString(cidForCbor(Buffer.alloc(1))), a: 1 }],
    ['bytes that are no base64', { $bytes: 'a-_b' }],
    ['bytes of an impossible length', { $bytes: 'abcde' }],
    ['bytes with wrong padding', { $bytes: 'abc==' }],
    ['an empty $type', { $type: '' }],
  ])('refuses %s', (_, input) => {
    expect(() => checkData(input)).toThrow(InvalidDataError)
  })

  test('refuses what encodeData refuses, and the other way round for the shared rules', () => {
    for (const input of [
      1.5,
      2 ** 53,
      'a\ud800'.repeat(40),
      { $link: 'x' },
      { a: undefined },
    ] as DataValue[]) {
      expect(() => checkData(input)).toThrow(InvalidDataError)
      expect(() => encodeData(input)).toThrow(InvalidDataError)
    }
  })

  test('names the path of the fault', () => {
    expect(() => checkData({ a: [{ b: 1.5 }] })).toThrow('invalid value at /a/0/b: a number')
  })

  // SPEC DM-8
  test.each([
    ['nesting', (n: number) => JSON.parse('['.repeat(n) + ']'.repeat(n)) as unknown, dataDepthMax],
    ['elements', (n: number) => Array.from({ length: n }, () => 0), dataElementsMax],
    [
      'fields',
      (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [i, 0])),
      dataElementsMax,
    ],
    ['name bytes', (n: number) => ({ [`é${'a'.repeat(n - 2)}`]: 0 }), dataKeyBytesMax],
  ])('allows the limit of %s and refuses one more', (_, make, limit) => {
    expect(() => checkData(make(limit))).not.toThrow()
    expect(() => checkData(make(limit + 1))).toThrow(InvalidDataError)
  })

  test('lets a link lie in the deepest container', () => {
    const link = JSON.stringify({ $link: cidToString(cidForCbor(Buffer.alloc(1))) })
    const input = JSON.parse('['.repeat(dataDepthMax) + link + ']'.repeat(dataDepthMax)) as DataValue
    checkData(input)
    expect(decodeData(encodeData(input))).toStrictEqual(input)
  })

  // SPEC DM-9
  test('accepts an empty blob and refuses one of another codec or with unknown fields', () => {
    const ref = (cid: Uint8Array) => ({
      $type: 'blob',
      ref: { $link: cidToString(cid) },
      mimeType: 'a/b',
      size: 0,
    })
    const digest = new Uint8Array(32)
    expect(() => checkData(ref(cidForRawDigest(digest)))).not.toThrow()
    expect(() => checkData(ref(cidForCbor(digest)))).toThrow(InvalidDataError)
    expect(() => checkData({ ...ref(cidForRawDigest(digest)), alt: 'x' })).toThrow(InvalidDataError)
    expect(() => checkData({ ...ref(cidForRawDigest(digest)), size: -1 })).toThrow(InvalidDataError)
  })

  test('checkDataObject wants a map at the top', () => {
    for (const input of [null, [], 'a', 1, { $link: cidToString(cidForCbor(Buffer.alloc(1))) }]) {
      expect(() => checkDataObject(input)).toThrow(InvalidDataError)
    }
    expect(() => checkDataObject({})).not.toThrow()
  })
})

describe('blobRefs and links', () => {
  // SPEC DM-10
  test('finds typed and legacy blobs at any depth, and every link', () => {
    const raw = cidToString(cidForRawDigest(new Uint8Array(32)))
    const node = cidToString(cidForCbor(Buffer.alloc(1)))
    const input: DataObject = {
      avatar: { $type: 'blob', ref: { $link: raw }, mimeType: 'image/png', size: 3 },
      deep: [{ old: { cid: raw, mimeType: 'image/gif' } }, { $link: node }],
      not: { cid: raw, mimeType: 'image/gif', more: 1 },
    }
    expect(blobRefs(input)).toEqual([
      { cid: raw, mimeType: 'image/png', size: 3, legacy: false },
      { cid: raw, mimeType: 'image/gif', size: -1, legacy: true },
    ])
    expect(links(input)).toEqual([raw, node])
  })
})

const post: DataObject = {
  $type: 'app.bsky.feed.post',
  text: 'A picture of a heron 🪶, and of its nest',
  langs: ['en'],
  createdAt: '2026-11-20T12:34:56.789Z',
  embed: {
    image: {
      $type: 'blob',
      ref: { $link: cidToString(cidForRawDigest(new Uint8Array(32))) },
      mimeType: 'image/png',
      size: 70_000,
    },
  },
}

/** Returns what the bytes become when read and written again, or undefined if they are refused. */
function reencoded(bytes: Uint8Array): Buffer | undefined {
  try {
    return encodeData(decodeData(bytes))
  } catch (error) {
    if (error instanceof InvalidCborError) return undefined
    throw error
  }
}

function isNothingOr(bytes: Uint8Array): (written: Buffer | undefined) => boolean {
  return (written) => written === undefined || written.equals(bytes)
}
