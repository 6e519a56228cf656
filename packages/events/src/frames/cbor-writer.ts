import { assert } from '@rookery/std'
import type { Cid } from '@rookery/syntax'

const textEncoding = 'utf8'

/**
 * Writes DRISL (deterministic DAG-CBOR) into one buffer of a size known beforehand. The caller writes the keys of
 * a map in canonical order: shorter first, then bytewise.
 */
export class CborWriter {
  readonly #buffer: Buffer
  #length = 0

  /** @param bytesMax upper bound of everything that will be written; see `textBytesMax`. */
  constructor(bytesMax: number) {
    this.#buffer = Buffer.allocUnsafe(bytesMax)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** Returns what was written; a view, not a copy. */
  finish(): Buffer {
    assert(this.#length <= this.#buffer.length, 'the bound of the buffer was too low')
    return this.#buffer.subarray(0, this.#length)
  }

  /** Opens a map of so many entries. */
  map(entries: number): this {
    return this.#head(0xa0, entries)
  }

  /** Opens an array of so many items. */
  array(items: number): this {
    return this.#head(0x80, items)
  }

  /** Writes a string, or a key. */
  text(value: string): this {
    const bytes = Buffer.byteLength(value, textEncoding)
    this.#head(0x60, bytes)
    this.#buffer.write(value, this.#length, textEncoding)
    this.#length += bytes
    return this
  }

  /** Writes a byte string. */
  bytes(value: Uint8Array): this {
    this.#head(0x40, value.length)
    return this.raw(value)
  }

  /** Writes a link: tag 42 around a zero byte and the CID. */
  cid(value: Cid): this {
    this.#head(0xc0, 42)
    this.#head(0x40, value.length + 1)
    this.#buffer[this.#length++] = 0
    return this.raw(value)
  }

  /** Writes a link or null. */
  cidOrNull(value: Cid | null): this {
    return value ? this.cid(value) : this.null()
  }

  /** Writes true or false. */
  boolean(value: boolean): this {
    this.#buffer[this.#length++] = value ? 0xf5 : 0xf4
    return this
  }

  /** Writes null. */
  null(): this {
    this.#buffer[this.#length++] = 0xf6
    return this
  }

  /** Writes a nine-byte integer of zeros and returns the offset of its last eight. */
  uint64Placeholder(): number {
    this.#buffer[this.#length++] = 0x1b
    const offset = this.#length
    this.#length += 8
    this.#buffer.fill(0, offset, this.#length)
    return offset
  }

  /** Writes bytes that are CBOR already. */
  raw(value: Uint8Array): this {
    this.#buffer.set(value, this.#length)
    this.#length += value.length
    return this
  }

  #head(type: number, value: number): this {
    if (value < 24) {
      this.#buffer[this.#length++] = type | value
    } else if (value < 0x100) {
      this.#buffer[this.#length++] = type | 24
      this.#buffer[this.#length++] = value
    } else if (value < 0x1_0000) {
      this.#buffer[this.#length++] = type | 25
      this.#length = this.#buffer.writeUInt16BE(value, this.#length)
    } else {
      this.#buffer[this.#length++] = type | 26
      this.#length = this.#buffer.writeUInt32BE(value, this.#length)
    }
    return this
  }
}

/** Returns the most bytes that a string takes: three for each UTF-16 unit and five for its length. */
export function textBytesMax(value: string | null | undefined): number {
  return value ? 5 + 3 * value.length : 5
}

/** Bytes that a link takes. */
export const linkBytes = 41
