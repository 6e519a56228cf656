import { cidBytes, cidChars, writeCidText } from '../cid.ts'
import { InvalidCborError } from '../errors.ts'

/** What stands before a link's CID, in bytes: tag 42 (two), the head of 37 bytes (two), the prefix 0x00. */
const linkHeadBytes = 5

/**
 * JSON text under construction, as UTF-8, out of values that are stored as DAG-CBOR: what reading records costs most.
 * No values are made of them on the way; text is copied, as CBOR and JSON both hold it in UTF-8.
 *
 * @example
 * new JsonText(row.bytes.length * 2).ascii('{"value":').cbor(row.bytes).ascii('}').finish()
 */
export class JsonText {
  #buffer: Buffer
  #end = 0
  #input: Uint8Array = new Uint8Array()
  #at = 0
  #stop = 0

  /** @param bytesExpected about how long the text will be, in bytes; it grows when it must. */
  constructor(bytesExpected: number) {
    this.#buffer = Buffer.allocUnsafe(bytesExpected)
  }

  /** Appends text as it is: ASCII, and already JSON. */
  ascii(text: string): this {
    this.#reserve(text.length)
    this.#end += this.#buffer.write(text, this.#end, 'latin1')
    return this
  }

  /** Appends the string form of the CID that starts at `from`, without quotes. */
  cid(source: Uint8Array, from = 0): this {
    this.#reserve(cidChars)
    writeCidText(source, from, this.#buffer, this.#end)
    this.#end += cidChars
    return this
  }

  /**
   * Appends the JSON form of one value: what `JSON.stringify(decodeData(bytes))` says, in a third of the time. The
   * bytes from `from` to `to` must have come from `encodeData` or have passed `decodeData` once; they are not checked
   * again.
   *
   * @throws {InvalidCborError} if they are damaged in a way that shows.
   */
  cbor(bytes: Uint8Array, from = 0, to: number = bytes.length): this {
    this.#input = bytes
    this.#at = from
    this.#stop = to
    this.#value()
    if (this.#at !== to) throw damaged()
    return this
  }

  /** Returns the text; nothing can be appended after that. */
  finish(): Buffer {
    const text = this.#buffer.subarray(0, this.#end)
    this.#buffer = Buffer.alloc(0)
    return text
  }

  #value(): void {
    if (this.#at >= this.#stop) throw damaged()
    const first = this.#input[this.#at] as number
    if (first >>> 5 === 6) return this.#link()
    this.#at++
    const argument = this.#argument(first & 0x1f)
    switch (first >>> 5) {
      case 0:
        this.#chars(String(argument))
        break
      case 1:
        this.#chars(String(-1 - argument))
        break
      case 2:
        this.#bytes(argument)
        break
      case 3:
        this.#text(argument)
        break
      case 4:
        this.#array(argument)
        break
      case 5:
        this.#map(argument)
        break
      default:
        this.#chars(argument === 20 ? 'false' : argument === 21 ? 'true' : 'null')
    }
  }

  #argument(info: number): number {
    if (info < 24) return info
    const size = 1 << (info - 24)
    if (info > 27 || this.#at + size > this.#stop) throw damaged()
    let value = 0
    for (let i = 0; i < size; i++) value = value * 256 + (this.#input[this.#at++] as number)
    return value
  }

  #array(count: number): void {
    this.#byte(0x5b)
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#byte(0x2c)
      this.#value()
    }
    this.#byte(0x5d)
  }

  #map(count: number): void {
    this.#byte(0x7b)
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#byte(0x2c)
      this.#value()
      this.#byte(0x3a)
      this.#value()
    }
    this.#byte(0x7d)
  }

  #text(length: number): void {
    const last = this.#skip(length)
    // An escaped byte takes six.
    this.#reserve(length * 6 + 2)
    const input = this.#input
    const buffer = this.#buffer
    let to = this.#end
    buffer[to++] = 0x22
    for (let from = last - length; from < last; from++) {
      const byte = input[from] as number
      if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) {
        buffer[to++] = byte
      } else {
        const escaped = JSON.stringify(String.fromCharCode(byte))
        for (let i = 1; i < escaped.length - 1; i++) buffer[to++] = escaped.charCodeAt(i)
      }
    }
    buffer[to++] = 0x22
    this.#end = to
  }

  #link(): void {
    const last = this.#skip(linkHeadBytes + cidBytes)
    this.#chars('{"$link":"')
      .cid(this.#input, last - cidBytes)
      .#chars('"}')
  }

  #bytes(length: number): void {
    const last = this.#skip(length)
    const { buffer, byteOffset } = this.#input
    const text = Buffer.from(buffer, byteOffset + last - length, length).toString('base64')
    const padding = text.indexOf('=')
    this.#chars('{"$bytes":"')
    this.ascii(padding < 0 ? text : text.slice(0, padding))
    this.#chars('"}')
  }

  /** Appends a few characters of ASCII, for which a loop is faster than a call into the runtime. */
  #chars(text: string): this {
    this.#reserve(text.length)
    for (let i = 0; i < text.length; i++) this.#buffer[this.#end++] = text.charCodeAt(i)
    return this
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#buffer[this.#end++] = byte
  }

  /** Moves past bytes of the input; returns where they end. */
  #skip(length: number): number {
    const end = this.#at + length
    if (end > this.#stop) throw damaged()
    this.#at = end
    return end
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#end + bytes))
    this.#buffer.copy(grown, 0, 0, this.#end)
    this.#buffer = grown
  }
}

function damaged(): InvalidCborError {
  return new InvalidCborError('stored bytes are damaged')
}
