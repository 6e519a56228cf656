import { hash } from 'node:crypto'

import { DomainError } from '@rookery/std'

import { cidCharsMax } from './limits.ts'

/**
 * A CID as the 36 raw bytes that blocks, rows and frames hold: version 1, codec, sha2-256, 32-byte digest
 * (SPEC DM-7). Never mutated. Compare with `cidEquals`; use `cidKey` as a map key.
 */
export type Cid = Uint8Array & { readonly __brand?: 'Cid' }

/** Length of every CID that atproto allows, in bytes. */
export const cidBytes = 36

/** Of its digest. */
const digestBytes = 32

const { latin1Slice } = Buffer.prototype
const dagCborPrefix = Buffer.from([0x01, 0x71, 0x12, 0x20])
const rawPrefix = Buffer.from([0x01, 0x55, 0x12, 0x20])
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const values = new Int8Array(128).fill(-1)
for (let i = 0; i < 32; i++) values[alphabet.charCodeAt(i)] = i

/** Is thrown for a string or bytes that are no CID that atproto allows. */
export class InvalidCidError extends DomainError {
  override readonly name = 'InvalidCidError'
  readonly code = 'InvalidCid'
}

/** Returns the CID of a DAG-CBOR block: records, tree nodes, commits. */
export function cidForCbor(block: Uint8Array): Cid {
  const cid = emptyCid(dagCborPrefix)
  // A digest as text: one as a Buffer costs an allocation outside V8's heap, and so does each native write to a small one.
  const digest = hash('sha256', block, 'binary')
  for (let i = 0; i < digestBytes; i++) cid[dagCborPrefix.length + i] = digest.charCodeAt(i)
  return cid
}

/** Returns the CID of a blob's bytes from their SHA-256 digest (32 bytes). */
export function cidForRawDigest(digest: Uint8Array): Cid {
  const cid = emptyCid(rawPrefix)
  cid.set(digest, rawPrefix.length)
  return cid
}

/** Memory of its own: a CID is kept for long in trees, and one from the pool of Buffers would keep 64 KB of it alive. */
function emptyCid(prefix: Buffer): Buffer {
  const cid = Buffer.allocUnsafeSlow(cidBytes)
  cid.set(prefix)
  return cid
}

/** Returns a string that only this CID has, for keys of maps and sets in memory: far cheaper than `cidToString`. */
export function cidKey(cid: Cid): string {
  return latin1Slice.call(cid, 0, cidBytes)
}

/** Tells whether both name the same block. */
export function cidEquals(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** Tells whether the CID names a blob (codec raw). */
export function isRawCid(cid: Cid): boolean {
  return cid[1] === 0x55
}

/** Length of every CID's text, in characters. */
export const cidChars = 59

const digits = Buffer.from(alphabet)
const scratch = Buffer.alloc(cidChars)

/** Returns the string form: `b` and base32 in lower case, 59 characters. */
export function cidToString(cid: Cid): string {
  writeCidText(cid, 0, scratch, 0)
  return scratch.toString('latin1', 0, cidChars)
}

/** Writes the string form of the CID that starts at `from` to `target` at `to`: 59 bytes, which must be free. */
export function writeCidText(source: Uint8Array, from: number, target: Uint8Array, to: number): void {
  target[to++] = 0x62
  // Five bytes are eight digits; the one byte that is left over is a digit and three bits.
  for (const last = from + cidBytes - 1; from < last; from += 5) {
    const high =
      ((source[from] as number) << 12) |
      ((source[from + 1] as number) << 4) |
      ((source[from + 2] as number) >>> 4)
    const low =
      (((source[from + 2] as number) & 15) << 16) |
      ((source[from + 3] as number) << 8) |
      (source[from + 4] as number)
    for (let shift = 15; shift >= 0; shift -= 5) target[to++] = digits[(high >>> shift) & 31] as number
    for (let shift = 15; shift >= 0; shift -= 5) target[to++] = digits[(low >>> shift) & 31] as number
  }
  const left = source[from] as number
  target[to++] = digits[left >>> 3] as number
  target[to] = digits[(left & 7) << 2] as number
}

/**
 * Returns the raw bytes of a CID string.
 *
 * @throws {InvalidCidError} unless it is CIDv1, dag-cbor or raw, SHA-256, base32 in lower case.
 */
export function parseCid(text: string): Cid {
  const cid = tryParseCid(text)
  if (!cid) throw new InvalidCidError(`not an atproto CID: ${text.slice(0, 100)}`)
  return cid
}

/** Returns the raw bytes of a CID string, or undefined if it is none that atproto allows. */
export function tryParseCid(text: string): Cid | undefined {
  const cid = text.length === cidChars ? decodeBase32(text) : undefined
  return cid && isCid(cid) ? cid : undefined
}

/**
 * Tells whether the text is a version 1 CID in base 32 of any codec and hash: what a `cid` field may hold. Blocks and
 * links are narrower: `tryParseCid`.
 */
export function isBase32Cid(text: string): boolean {
  const bytes = text.length <= cidCharsMax ? decodeBase32(text) : undefined
  if (!bytes || bytes[0] !== 1) return false
  // Codec, hash and the digest's length, each a varint.
  let at = 1
  let last = 0
  for (let i = 0; i < 3; i++) {
    last = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined || shift > 28) return false
      last += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
    }
  }
  return bytes.length - at === last
}

/** Returns the bytes of `b` and base32 in lower case without padding, or undefined if the text is no such thing. */
function decodeBase32(text: string): Buffer | undefined {
  if (text[0] !== 'b') return undefined
  const out = Buffer.alloc(((text.length - 1) * 5) >>> 3)
  let value = 0
  let bits = 0
  let length = 0
  for (let i = 1; i < text.length; i++) {
    const digit = values[text.charCodeAt(i)] ?? -1
    if (digit < 0) return undefined
    value = (value << 5) | digit
    bits += 5
    if (bits >= 8) {
      bits -= 8
      out[length++] = value >>> bits
      value &= (1 << bits) - 1
    }
  }
  return value === 0 && bits < 5 ? out : undefined
}

/** Tells whether the bytes are a CID that atproto allows (SPEC DM-7). */
export function isCid(bytes: Uint8Array): bytes is Cid {
  const codec = bytes[1]
  return (
    bytes.length === cidBytes &&
    bytes[0] === 1 &&
    (codec === 0x71 || codec === 0x55) &&
    bytes[2] === 0x12 &&
    bytes[3] === 0x20
  )
}
