import { cidToString, isCid } from '../cid.ts'
import { InvalidCborError } from '../errors.ts'
import { dataDepthMax, dataElementsMax, dataKeyBytesMax } from '../limits.ts'
import { type DataObject, type DataValue, isReservedKey } from './value.ts'

/**
 * Returns the value that the bytes hold, in its JSON form. Strict: what it accepts, `encodeData` turns back into the
 * same bytes. The value shares no memory with the input.
 *
 * @throws {InvalidCborError} unless the bytes are exactly one canonical DAG-CBOR value (SPEC DM-1): no floats, no tag
 * but 42, no indefinite or over-long lengths, keys sorted and unique, valid UTF-8, nothing after it, bounded nesting.
 * @example
 * const record = decodeData(row.bytes)
 */
export function decodeData(bytes: Uint8Array): DataValue {
  const reader = new Reader(bytes)
  const value = reader.value(0)
  if (reader.left > 0) throw new InvalidCborError(`${reader.left} bytes after the value`)
  return value
}

/**
 * Returns the map that the bytes hold: `decodeData` and a map at the top, as every record is.
 *
 * @throws {InvalidCborError} as `decodeData`, or if the value is no map.
 */
export function decodeDataObject(bytes: Uint8Array): DataObject {
  const major = (bytes[0] ?? 0) >>> 5
  if (major !== 5) throw new InvalidCborError('not a map')
  return decodeData(bytes) as DataObject
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  value(depth: number): DataValue {
    const first = this.#byte()
    const argument = first < 0xe0 ? this.#argument(first & 0x1f) : first
    switch (first >>> 5) {
      case 0:
        return argument
      case 1:
        return -1 - this.#negative(argument)
      case 2:
        return { $bytes: this.#base64(argument) }
      case 3:
        return this.#text(argument)
      case 4:
        return this.#array(argument, depth)
      case 5:
        return this.#map(argument, depth)
      case 6:
        return { $link: this.#link(argument) }
      default:
        return simple(first)
    }
  }

  #array(count: number, depth: number): DataValue[] {
    this.#checkContainer(count, depth)
    const items: DataValue[] = []
    for (let i = 0; i < count; i++) items.push(this.value(depth + 1))
    return items
  }

  #map(count: number, depth: number): DataObject {
    this.#checkContainer(count, depth)
    const map: DataObject = {}
    let previousStart = 0
    let previousEnd = -1
    for (let i = 0; i < count; i++) {
      const length = this.#keyLength()
      const start = this.#at
      const key = this.#text(length)
      if (previousEnd >= 0) this.#checkKeyOrder(previousStart, previousEnd, start)
      if (isReservedKey(key)) throw new InvalidCborError(`a map with the reserved key ${key}`)
      previousStart = start
      previousEnd = this.#at
      const value = this.value(depth + 1)
      // Assigning this one name would set the prototype and lose the field.
      if (key === '__proto__')
        Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true })
      else map[key] = value
    }
    return map
  }

  #keyLength(): number {
    const first = this.#byte()
    if (first >>> 5 !== 3) throw new InvalidCborError('a map key that is no text')
    const length = this.#argument(first & 0x1f)
    if (length > dataKeyBytesMax)
      throw new InvalidCborError(`a map key of more than ${dataKeyBytesMax} bytes`)
    return length
  }

  /** Checks that the key that ends here sorts after the previous one: by length, then bytewise, never equal. */
  #checkKeyOrder(previousStart: number, previousEnd: number, start: number): void {
    const byLength = this.#at - start - (previousEnd - previousStart)
    if (byLength > 0) return
    const bytes = this.#bytes
    if (byLength === 0) {
      for (let i = 0; start + i < this.#at; i++) {
        const difference = (bytes[start + i] as number) - (bytes[previousStart + i] as number)
        if (difference > 0) return
        if (difference < 0) break
      }
    }
    throw new InvalidCborError('map keys out of order or repeated')
  }

  #checkContainer(count: number, depth: number): void {
    if (depth === dataDepthMax) throw new InvalidCborError(`nested deeper than ${dataDepthMax} levels`)
    if (count > dataElementsMax) throw new InvalidCborError(`more than ${dataElementsMax} elements`)
    // Every element is at least a byte: a length that lies costs nothing.
    if (count > this.left) throw new InvalidCborError('the bytes end too early')
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new InvalidCborError('the bytes end too early')
    this.#at++
    return byte
  }

  /** Reads the number that a head carries and refuses any but the shortest form. */
  #argument(info: number): number {
    if (info < 24) return info
    if (info > 27) throw new InvalidCborError('an indefinite or reserved length')
    const size = 1 << (info - 24)
    if (this.left < size) throw new InvalidCborError('the bytes end too early')
    const bytes = this.#bytes
    const at = this.#at
    this.#at += size
    const value =
      size === 8
        ? bytes.readUInt32BE(at) * 0x100000000 + bytes.readUInt32BE(at + 4)
        : bytes.readUIntBE(at, size)
    if (value > Number.MAX_SAFE_INTEGER) throw new InvalidCborError('an integer beyond 2^53 - 1')
    const leastOfSize = size === 1 ? 24 : 2 ** (size * 4)
    if (value < leastOfSize) throw new InvalidCborError('a number that is not in its shortest form')
    return value
  }

  /** -1 - n must stay within the safe range too: -(2^53 - 1) is the least. */
  #negative(argument: number): number {
    if (argument === Number.MAX_SAFE_INTEGER) throw new InvalidCborError('an integer beyond 2^53 - 1')
    return argument
  }

  #base64(length: number): string {
    const start = this.#skip(length)
    const text = this.#bytes.toString('base64', start, this.#at)
    const padding = text.indexOf('=')
    return padding < 0 ? text : text.slice(0, padding)
  }

  #link(tag: number): string {
    if (tag !== 42) throw new InvalidCborError(`tag ${tag}`)
    if (this.#byte() !== 0x58 || this.#byte() !== 37 || this.#byte() !== 0x00) {
      throw new InvalidCborError('a link that is no atproto CID')
    }
    const start = this.#skip(36)
    const cid = this.#bytes.subarray(start, this.#at)
    if (!isCid(cid)) throw new InvalidCborError('a link that is no atproto CID')
    return cidToString(cid)
  }

  #skip(length: number): number {
    if (length > this.left) throw new InvalidCborError('the bytes end too early')
    const start = this.#at
    this.#at += length
    return start
  }

  #text(length: number): string {
    const start = this.#skip(length)
    const text = this.#shortAscii(start, length) ?? this.#bytes.toString('utf8', start, this.#at)
    // A decoder writes U+FFFD for what is no UTF-8; only then is it worth comparing with the bytes.
    if (text.includes('\uFFFD') && !Buffer.from(text).equals(this.#bytes.subarray(start, this.#at))) {
      throw new InvalidCborError('text that is not valid UTF-8')
    }
    return text
  }

  /** Returns a short ASCII text without a call into native code; undefined if it is long or not ASCII. */
  #shortAscii(start: number, length: number): string | undefined {
    if (length > 12) return undefined
    const bytes = this.#bytes
    let text = ''
    for (let i = start; i < start + length; i++) {
      const byte = bytes[i] as number
      if (byte >= 0x80) return undefined
      text += String.fromCharCode(byte)
    }
    return text
  }
}

function simple(first: number): null | boolean {
  if (first === 0xf6) return null
  if (first === 0xf4) return false
  if (first === 0xf5) return true
  throw new InvalidCborError('a float or an undefined simple value')
}
