import { hash, randomBytes } from 'node:crypto'

import { secp256k1 } from './backend.ts'
import { InvalidKeyError } from './errors.ts'
import { formatDidKey, parseDidKey } from './keys.ts'
import { verifyP256 } from './p256.ts'

/** A key pair that signs; the private key stays inside. */
export type KeySigner = {
  /** The public key as did:key. */
  readonly didKey: string
  /** Returns the signature of the bytes' SHA-256: 64 bytes, low S, the same for the same bytes. */
  sign(bytes: Uint8Array): Uint8Array
}

const signatureBytes = 64

/** Returns a new secp256k1 private key: 32 random bytes. */
export function generatePrivateKey(): Uint8Array {
  for (;;) {
    const privateKey = randomBytes(32)
    // One in 2^128 is none.
    if (secp256k1.isPrivateKey(privateKey)) return privateKey
  }
}

/**
 * Returns a signer of a secp256k1 private key. It keeps the array, which must not change.
 *
 * @throws {InvalidKeyError} if the bytes are no private key.
 * @example
 * const signer = keySigner(generatePrivateKey())
 * const signature = signer.sign(unsignedCommit)
 */
export function keySigner(privateKey: Uint8Array): KeySigner {
  if (!secp256k1.isPrivateKey(privateKey)) throw new InvalidKeyError('not a secp256k1 private key')
  return {
    didKey: formatDidKey({ curve: 'k256', bytes: secp256k1.publicKey(privateKey) }),
    sign: (bytes) => secp256k1.sign(hash('sha256', bytes, 'buffer'), privateKey),
  }
}

/**
 * Tells whether the signature of the bytes' SHA-256 is the key's. Signatures are compact with low S: DER and high S
 * are refused on both curves (SPEC CR-1).
 *
 * @throws {InvalidKeyError} if the did:key is malformed.
 */
export function verifySignature(didKey: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  const key = parseDidKey(didKey)
  if (signature.length !== signatureBytes) return false
  if (key.curve === 'p256') return verifyP256(key.bytes, bytes, signature)
  try {
    return secp256k1.verify(signature, hash('sha256', bytes, 'buffer'), key.bytes)
  } catch {
    // R or S beyond the order of the curve.
    return false
  }
}
