import { cidBytes, cidChars, writeCidText } from '../cid.ts'
import { InvalidCborError } from '../errors.ts'

/*
 * Turns stored DAG-CBOR into JSON bytes without making values of it: what reading records costs most. Text is copied,
 * as CBOR and JSON both hold it in UTF-8.
 */

const bufferBytesKept = 64 * 1024

let input: Uint8Array = new Uint8Array()
let at = 0
let buffer = Buffer.allocUnsafe(bufferBytesKept)
let end = 0

/**
 * Returns the JSON form of a stored value as UTF-8: what `JSON.stringify(decodeData(bytes))` says, in a third of the
 * time. The bytes must have come from `encodeData` or have passed `decodeData` once; they are not checked again.
 *
 * @throws {InvalidCborError} if they are damaged in a way that shows.
 * @example
 * reply.send(Buffer.concat([Buffer.from('{"value":'), cborToJson(row.bytes), Buffer.from('}')]))
 */
export function cborToJson(bytes: Uint8Array): Buffer {
  input = bytes
  at = 0
  end = 0
  try {
    writeValue()
    if (at !== bytes.length) throw new InvalidCborError('stored bytes are damaged')
    return Buffer.from(buffer.subarray(0, end))
  } finally {
    if (buffer.length > bufferBytesKept) buffer = Buffer.allocUnsafe(bufferBytesKept)
  }
}

function writeValue(): void {
  const first = input[at++]
  if (first === undefined) throw new InvalidCborError('stored bytes are damaged')
  const argument = readArgument(first & 0x1f)
  switch (first >>> 5) {
    case 0:
      return writeAscii(String(argument))
    case 1:
      return writeAscii(String(-1 - argument))
    case 2:
      return writeBytes(argument)
    case 3:
      return writeText(argument)
    case 4:
      return writeArray(argument)
    case 5:
      return writeMap(argument)
    case 6:
      return writeLink()
    default:
      return writeAscii(argument === 20 ? 'false' : argument === 21 ? 'true' : 'null')
  }
}

function readArgument(info: number): number {
  if (info < 24) return info
  const size = 1 << (info - 24)
  if (info > 27 || at + size > input.length) throw new InvalidCborError('stored bytes are damaged')
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + (input[at++] as number)
  return value
}

function writeArray(count: number): void {
  writeByte(0x5b)
  for (let i = 0; i < count; i++) {
    if (i > 0) writeByte(0x2c)
    writeValue()
  }
  writeByte(0x5d)
}

function writeMap(count: number): void {
  writeByte(0x7b)
  for (let i = 0; i < count; i++) {
    if (i > 0) writeByte(0x2c)
    writeValue()
    writeByte(0x3a)
    writeValue()
  }
  writeByte(0x7d)
}

function writeText(length: number): void {
  const stop = at + length
  if (stop > input.length) throw new InvalidCborError('stored bytes are damaged')
  // An escaped byte takes six.
  reserve(length * 6 + 2)
  let to = end
  buffer[to++] = 0x22
  for (let from = at; from < stop; from++) {
    const byte = input[from] as number
    if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) {
      buffer[to++] = byte
    } else {
      const escaped = JSON.stringify(String.fromCharCode(byte))
      for (let i = 1; i < escaped.length - 1; i++) buffer[to++] = escaped.charCodeAt(i)
    }
  }
  buffer[to++] = 0x22
  at = stop
  end = to
}

/** After the tag: the head of 37 bytes, the prefix 0x00 and the CID. */
function writeLink(): void {
  const stop = at + 3 + cidBytes
  if (stop > input.length) throw new InvalidCborError('stored bytes are damaged')
  writeAscii('{"$link":"')
  reserve(cidChars)
  writeCidText(input, at + 3, buffer, end)
  end += cidChars
  writeAscii('"}')
  at = stop
}

function writeBytes(length: number): void {
  writeAscii('{"$bytes":"')
  if (at + length > input.length) throw new InvalidCborError('stored bytes are damaged')
  const text = Buffer.from(input.buffer, input.byteOffset + at, length).toString('base64')
  const padding = text.indexOf('=')
  writeAscii(padding < 0 ? text : text.slice(0, padding))
  writeAscii('"}')
  at += length
}

function writeAscii(text: string): void {
  reserve(text.length)
  for (let i = 0; i < text.length; i++) buffer[end++] = text.charCodeAt(i)
}

function writeByte(byte: number): void {
  reserve(1)
  buffer[end++] = byte
}

function reserve(bytes: number): void {
  if (end + bytes <= buffer.length) return
  const grown = Buffer.allocUnsafe(Math.max(buffer.length * 2, end + bytes))
  buffer.copy(grown, 0, 0, end)
  buffer = grown
}
