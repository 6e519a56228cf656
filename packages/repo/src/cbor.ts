import { must } from '@rookery/std'
import { type Cid, cidBytes } from '@rookery/syntax'

/**
 * The few pieces of canonical DAG-CBOR that nodes, commits and CAR headers are made of: fixed shapes, so writing
 * and reading them by hand is several times cheaper than a general codec, and strict by construction.
 */

/** A writer over a scratch buffer that its owner makes large enough. */
export class CborWriter {
  readonly bytes: Buffer
  at = 0

  constructor(bytesMax: number) {
    this.bytes = Buffer.allocUnsafeSlow(bytesMax)
  }

  /** Writes one byte as it is. */
  byte(value: number): void {
    this.bytes[this.at++] = value
  }

  /** Writes an item's head: major type (already shifted) and its number, below 2^32, in the shortest form. */
  head(major: number, value: number): void {
    const { bytes } = this
    if (value < 24) {
      bytes[this.at++] = major | value
    } else if (value < 0x100) {
      bytes[this.at++] = major | 24
      bytes[this.at++] = value
    } else if (value < 0x10000) {
      bytes[this.at++] = major | 25
      bytes[this.at++] = value >>> 8
      bytes[this.at++] = value & 255
    } else {
      bytes[this.at++] = major | 26
      this.at = bytes.writeUInt32BE(value, this.at)
    }
  }

  /** Writes a text of ASCII characters. */
  ascii(text: string): void {
    this.head(0x60, text.length)
    this.at += this.bytes.write(text, this.at, 'latin1')
  }

  /** Writes bytes as a byte string. */
  byteString(value: Uint8Array): void {
    this.head(0x40, value.length)
    this.bytes.set(value, this.at)
    this.at += value.length
  }

  /** Writes a link: tag 42 around a byte string of a zero byte and the CID; null when there is none. */
  link(cid: Cid | null): void {
    const { bytes } = this
    if (cid === null) {
      bytes[this.at++] = 0xf6
      return
    }
    const { at } = this
    bytes[at] = 0xd8
    bytes[at + 1] = 0x2a
    bytes[at + 2] = 0x58
    bytes[at + 3] = 0x25
    bytes[at + 4] = 0
    bytes.set(cid, at + 5)
    this.at = at + 41
  }

  /** Returns a copy of what was written and starts over. */
  take(): Buffer {
    const out = Buffer.allocUnsafe(this.at)
    out.set(this.bytes.subarray(0, this.at))
    this.at = 0
    return out
  }
}

/** A strict reader: whatever is not the expected item in its shortest form ends in `fail`. */
export class CborReader {
  readonly bytes: Buffer
  readonly #fail: (reason: string) => never
  at = 0

  constructor(bytes: Uint8Array, fail: (reason: string) => never) {
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#fail = fail
  }

  /** Reads the head of an item of this major type (already shifted) and returns its number. */
  head(major: number): number {
    const { bytes } = this
    const first = bytes[this.at++]
    if (first === undefined || (first & 0xe0) !== major) return this.#fail('an item has the wrong type')
    const short = first & 31
    if (short < 24) return short
    if (short > 26) return this.#fail('a number is out of bounds')
    const size = 1 << (short - 24)
    if (this.at + size > bytes.length) return this.#fail('the block is cut short')
    const value = bytes.readUIntBE(this.at, size)
    this.at += size
    if (value < (size === 1 ? 24 : size === 2 ? 0x100 : 0x10000))
      return this.#fail('a number is not in its shortest form')
    return value
  }

  /** Reads one exact byte. */
  expect(value: number, what: string): void {
    if (this.bytes[this.at++] !== value) this.#fail(`expected ${what}`)
  }

  /** Reads a map key of one character. */
  key1(code: number): void {
    const { bytes, at } = this
    if (bytes[at] !== 0x61 || bytes[at + 1] !== code)
      this.#fail(`expected the field "${String.fromCharCode(code)}"`)
    this.at = at + 2
  }

  /** Reads a map key. */
  key(name: string): void {
    if (this.ascii(name.length) !== name) this.#fail(`expected the field "${name}"`)
  }

  /** Reads a text of printable ASCII characters. */
  ascii(bytesMax: number): string {
    const length = this.head(0x60)
    if (length > bytesMax) return this.#fail('a text is too long')
    return this.printable(length)
  }

  /** Reads so many printable ASCII characters, without a head. */
  printable(length: number): string {
    const { bytes, at } = this
    const end = at + length
    if (end > bytes.length) return this.#fail('the block is cut short')
    for (let i = at; i < end; i++) {
      const byte = must(bytes[i])
      if (byte < 0x21 || byte > 0x7e) return this.#fail('a text has characters that are not printable ASCII')
    }
    this.at = end
    return bytes.toString('latin1', at, end)
  }

  /** Reads a byte string of this length; a view. */
  byteString(length: number): Buffer {
    if (this.head(0x40) !== length) return this.#fail(`a byte string is not ${length} bytes long`)
    if (this.at + length > this.bytes.length) return this.#fail('the block is cut short')
    return this.bytes.subarray(this.at, (this.at += length))
  }

  /** Reads a link whose CID is one that atproto allows (SPEC DM-7); a view. */
  link(): Cid {
    const { bytes, at } = this
    const codec = bytes[at + 6]
    const valid =
      at + 5 + cidBytes <= bytes.length &&
      bytes[at] === 0xd8 &&
      bytes[at + 1] === 0x2a &&
      bytes[at + 2] === 0x58 &&
      bytes[at + 3] === 0x25 &&
      bytes[at + 4] === 0 &&
      bytes[at + 5] === 1 &&
      (codec === 0x71 || codec === 0x55) &&
      bytes[at + 7] === 0x12 &&
      bytes[at + 8] === 0x20
    if (!valid) return this.#fail('a link is not the CID of a DAG-CBOR or raw block')
    this.at = at + 5 + cidBytes
    return bytes.subarray(at + 5, this.at)
  }

  /** Reads a link or null. */
  linkOrNull(): Cid | null {
    if (this.bytes[this.at] === 0xf6) {
      this.at++
      return null
    }
    return this.link()
  }

  /** Requires that everything was read. */
  end(): void {
    if (this.at !== this.bytes.length) this.#fail('there are bytes after the end')
  }
}
