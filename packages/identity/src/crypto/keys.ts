import { multibaseToBytes } from '@atproto/crypto'
import { base58btc } from 'multiformats/bases/base58'

import { secp256k1 } from './backend.ts'
import { InvalidKeyError } from './errors.ts'
import { compressP256 } from './p256.ts'

/** The curves of atproto (SPEC CR-1). */
export type Curve = 'k256' | 'p256'

/** A public key: a point of its curve, compressed to 33 bytes. */
export type PublicKey = { curve: Curve; bytes: Uint8Array }

/** A verification method of a DID document, as far as its key goes. */
export type VerificationMethod = { type: string; publicKeyMultibase: string }

const didKeyPrefix = 'did:key:'
const keyBytes = 33

/** The multicodec of each curve's public keys, as the varint that precedes them (SPEC CR-2). */
const multicodecs: readonly { curve: Curve; prefix: readonly [number, number] }[] = [
  { curve: 'k256', prefix: [0xe7, 0x01] },
  { curve: 'p256', prefix: [0x80, 0x24] },
]

/** Types of verification methods whose key says nothing of its curve (SPEC CR-3). */
const legacyTypes: Readonly<Record<string, Curve>> = {
  EcdsaSecp256k1VerificationKey2019: 'k256',
  EcdsaSecp256r1VerificationKey2019: 'p256',
}

/**
 * Returns the key of a did:key.
 *
 * @throws {InvalidKeyError} if it is none, of another curve, or no point of its curve.
 */
export function parseDidKey(didKey: string): PublicKey {
  if (!didKey.startsWith(didKeyPrefix)) throw new InvalidKeyError(`not a did:key: ${didKey.slice(0, 100)}`)
  return parseMultikey(didKey.slice(didKeyPrefix.length))
}

/** Returns the did:key of a key. */
export function formatDidKey(key: PublicKey): string {
  return didKeyPrefix + formatMultikey(key)
}

/**
 * Returns the key of a multikey (SPEC CR-2).
 *
 * @throws {InvalidKeyError} if it is none, of another curve, or no point of its curve.
 */
export function parseMultikey(multikey: string): PublicKey {
  const bytes = decoded(multikey, (text) => base58btc.decode(text))
  const codec = multicodecs.find(({ prefix }) => prefix[0] === bytes[0] && prefix[1] === bytes[1])
  if (!codec || bytes.length !== 2 + keyBytes)
    throw new InvalidKeyError(`not a multikey: ${multikey.slice(0, 100)}`)
  return pointOf(codec.curve, bytes.subarray(2))
}

/** Returns the multikey of a key. */
export function formatMultikey({ curve, bytes }: PublicKey): string {
  const prefix = multicodecs.find((codec) => codec.curve === curve)?.prefix ?? []
  return base58btc.encode(Buffer.concat([Buffer.from(prefix), bytes]))
}

/**
 * Returns the key of a DID document's verification method: a Multikey, or one of the two older types, whose points
 * may be uncompressed and in any base (SPEC CR-3).
 *
 * @throws {InvalidKeyError} for any other type, or a key that is no point of its curve.
 */
export function parseVerificationMethod({ type, publicKeyMultibase }: VerificationMethod): PublicKey {
  if (type === 'Multikey') return parseMultikey(publicKeyMultibase)
  const curve = Object.hasOwn(legacyTypes, type) ? legacyTypes[type] : undefined
  if (!curve) throw new InvalidKeyError(`unknown type of verification method: ${type.slice(0, 100)}`)
  return pointOf(curve, decoded(publicKeyMultibase, multibaseToBytes))
}

function pointOf(curve: Curve, bytes: Uint8Array): PublicKey {
  try {
    return { curve, bytes: curve === 'k256' ? secp256k1.compress(bytes) : compressP256(bytes) }
  } catch (cause) {
    throw new InvalidKeyError(`not a point of ${curve}`, { cause })
  }
}

/** No key in any base is longer than this, in characters. */
const keyCharsMax = 256

function decoded(text: string, decode: (text: string) => Uint8Array): Uint8Array {
  try {
    // Decoding base 58 takes time quadratic in the length.
    if (text.length <= keyCharsMax) return decode(text)
  } catch (cause) {
    throw new InvalidKeyError(`not a multibase text: ${text.slice(0, 100)}`, { cause })
  }
  throw new InvalidKeyError(`a key of more than ${keyCharsMax} characters`)
}
