import { tryParseCid } from '../cid.ts'
import { InvalidDataError } from '../errors.ts'
import { dataDepthMax } from '../limits.ts'
import { type DataObject, type DataValue, isReservedKey } from './value.ts'

/*
 * Writes DAG-CBOR. Every record written passes here, so the writer keeps one buffer, copies each text into it once,
 * and never builds an intermediate form. It is not re-entrant, and need not be: nothing in it awaits.
 */

/** The buffer starts here and grows by doubling; one that a huge value made is not kept. */
const bufferBytesKept = 64 * 1024

let buffer = Buffer.allocUnsafe(bufferBytesKept)
let end = 0

/**
 * Returns the canonical DAG-CBOR of a value (SPEC DM-1): shortest integers, definite lengths, map keys sorted by
 * length and then bytewise. The bytes belong to the caller.
 *
 * @throws {InvalidDataError} for what `checkData` would refuse and CBOR cannot hold: floats, integers beyond 2^53 - 1,
 * lone surrogates, bad CIDs, links and bytes beside other fields, undefined, too deep nesting.
 * @example
 * const bytes = encodeData({ $type: 'app.bsky.feed.like', subject, createdAt })
 * const cid = cidForCbor(bytes)
 */
export function encodeData(value: DataValue): Buffer {
  end = 0
  try {
    write(value, 0)
    return Buffer.from(buffer.subarray(0, end))
  } finally {
    if (buffer.length > bufferBytesKept) buffer = Buffer.allocUnsafe(bufferBytesKept)
  }
}

function write(value: DataValue, depth: number): void {
  if (typeof value === 'string') writeText(value)
  else if (typeof value === 'number') writeInteger(value)
  else if (typeof value === 'boolean') writeSimple(value ? 0xf5 : 0xf4)
  else if (value === null) writeSimple(0xf6)
  else if (Array.isArray(value)) writeArray(value, depth)
  else if (typeof value === 'object') writeMap(value, depth)
  else throw new InvalidDataError(`a ${typeof value} has no DAG-CBOR form`)
}

function writeSimple(byte: number): void {
  reserve(1)
  buffer[end++] = byte
}

function writeInteger(value: number): void {
  if (!Number.isSafeInteger(value))
    throw new InvalidDataError('a number that is no integer, or beyond 2^53 - 1')
  reserve(9)
  // -0 is 0 in JSON's readers and in CBOR.
  if (value >= 0) writeHead(0x00, value)
  else writeHead(0x20, -1 - value)
}

/** Writes a head; the caller has reserved nine bytes. */
function writeHead(major: number, value: number): void {
  if (value < 24) {
    buffer[end++] = major | value
  } else if (value < 0x100) {
    buffer[end++] = major | 24
    buffer[end++] = value
  } else if (value < 0x10000) {
    buffer[end++] = major | 25
    buffer[end++] = value >>> 8
    buffer[end++] = value & 0xff
  } else if (value < 0x100000000) {
    buffer[end++] = major | 26
    end = buffer.writeUInt32BE(value, end)
  } else {
    buffer[end++] = major | 27
    end = buffer.writeUInt32BE(Math.floor(value / 0x100000000), end)
    end = buffer.writeUInt32BE(value % 0x100000000, end)
  }
}

/** Up to this many characters a loop is faster than the call into native code. */
const loopCharsMax = 32

function writeText(text: string): void {
  const { length } = text
  // A UTF-16 unit is at most three bytes of UTF-8.
  reserve(9 + length * 3)
  if (length <= loopCharsMax && writeShortAscii(text, length)) return
  if (!text.isWellFormed()) throw new InvalidDataError('text with a lone surrogate')
  // The head's size is guessed for ASCII; text of another length class moves up by the difference.
  const guessed = headBytes(length)
  const bytes = buffer.write(text, end + guessed, 'utf8')
  const head = headBytes(bytes)
  if (head !== guessed) buffer.copyWithin(end + head, end + guessed, end + guessed + bytes)
  writeHead(0x60, bytes)
  end += bytes
}

/** Writes the text if it is ASCII; writes nothing that stays, and returns false, if it is not. */
function writeShortAscii(text: string, length: number): boolean {
  let at = end
  if (length < 24) {
    buffer[at++] = 0x60 | length
  } else {
    buffer[at++] = 0x78
    buffer[at++] = length
  }
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x80) return false
    buffer[at++] = code
  }
  end = at
  return true
}

function headBytes(value: number): number {
  if (value < 24) return 1
  if (value < 0x100) return 2
  return value < 0x10000 ? 3 : 5
}

function writeArray(items: DataValue[], depth: number): void {
  if (depth === dataDepthMax) throw new InvalidDataError(`nested deeper than ${dataDepthMax} levels`)
  reserve(9)
  writeHead(0x80, items.length)
  for (let i = 0; i < items.length; i++) write(items[i] as DataValue, depth + 1)
}

function writeMap(map: DataObject, depth: number): void {
  const keys = Object.keys(map)
  const only = keys.length === 1 ? keys[0] : undefined
  if (only === '$link') return writeLink(map[only] as DataValue)
  if (only === '$bytes') return writeBytes(map[only] as DataValue)
  if (depth === dataDepthMax) throw new InvalidDataError(`nested deeper than ${dataDepthMax} levels`)
  sortKeys(keys)
  reserve(9)
  writeHead(0xa0, keys.length)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string
    if (isReservedKey(key)) throw new InvalidDataError(`${key} beside other fields`)
    writeText(key)
    write(map[key] as DataValue, depth + 1)
  }
}

/** Sorts keys by UTF-8 length and then bytewise, in place; insertion wins on the few keys that maps have. */
function sortKeys(keys: string[]): void {
  if (keys.length > 32) {
    keys.sort(compareKeys)
    return
  }
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] as string
    let j = i - 1
    for (; j >= 0 && compareKeys(keys[j] as string, key) > 0; j--) keys[j + 1] = keys[j] as string
    keys[j + 1] = key
  }
}

const nonAscii = /[^\0-\x7f]/

function compareKeys(a: string, b: string): number {
  if (nonAscii.test(a) || nonAscii.test(b)) {
    return Buffer.byteLength(a) - Buffer.byteLength(b) || Buffer.compare(Buffer.from(a), Buffer.from(b))
  }
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : 1
}

function writeLink(text: DataValue): void {
  const cid = typeof text === 'string' ? tryParseCid(text) : undefined
  if (!cid) throw new InvalidDataError('$link must be a CID')
  reserve(5 + cid.length)
  // Tag 42 over a byte string of 37: the multibase prefix 0x00 and the CID.
  buffer[end++] = 0xd8
  buffer[end++] = 0x2a
  buffer[end++] = 0x58
  buffer[end++] = cid.length + 1
  buffer[end++] = 0x00
  buffer.set(cid, end)
  end += cid.length
}

function writeBytes(text: DataValue): void {
  if (typeof text !== 'string') throw new InvalidDataError('$bytes must be a string')
  const bytes = Buffer.from(text, 'base64')
  reserve(9 + bytes.length)
  writeHead(0x40, bytes.length)
  buffer.set(bytes, end)
  end += bytes.length
}

function reserve(bytes: number): void {
  if (end + bytes <= buffer.length) return
  const grown = Buffer.allocUnsafe(Math.max(buffer.length * 2, end + bytes))
  buffer.copy(grown, 0, 0, end)
  buffer = grown
}
