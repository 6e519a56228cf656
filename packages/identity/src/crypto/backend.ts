import { createRequire } from 'node:module'

import { secp256k1 as curve } from '@noble/curves/secp256k1.js'

const require = createRequire(import.meta.url)

/** Which implementation signs with secp256k1. */
export type SignerBackend = 'native' | 'javascript'

/**
 * The secp256k1 operations, over SHA-256 digests of 32 bytes and compact signatures of 64. Both implementations sign
 * deterministically (RFC 6979) with low S, so their signatures are equal byte for byte, and refuse high S.
 */
export type Secp256k1 = {
  backend: SignerBackend
  isPrivateKey(bytes: Uint8Array): boolean
  /** Returns the compressed public key, 33 bytes. */
  publicKey(privateKey: Uint8Array): Uint8Array
  /** Returns the compressed form of a public key in any form; throws if it is no point of the curve. */
  compress(publicKey: Uint8Array): Uint8Array
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array
  verify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
}

/** What we use of the native module, which has no types. */
type NativeModule = {
  privateKeyVerify(privateKey: Uint8Array): boolean
  publicKeyCreate(privateKey: Uint8Array, compressed: boolean): Uint8Array
  publicKeyConvert(publicKey: Uint8Array, compressed: boolean): Uint8Array
  ecdsaSign(digest: Uint8Array, privateKey: Uint8Array): { signature: Uint8Array }
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
}

/**
 * Not the package's main module: that one falls back to a slower library by itself and does not say so. Loaded by
 * `require`, as there are platforms where it throws.
 */
const loadAddon = (): unknown => require('secp256k1/bindings.js')

/** Returns the operations of libsecp256k1, or undefined where its addon can not be loaded. */
export function nativeSecp256k1(load = loadAddon): Secp256k1 | undefined {
  let native: NativeModule
  try {
    native = load() as NativeModule
  } catch {
    return undefined
  }
  return {
    backend: 'native',
    isPrivateKey: (bytes) => bytes.length === 32 && native.privateKeyVerify(bytes),
    publicKey: (privateKey) => native.publicKeyCreate(privateKey, true),
    compress: (publicKey) => native.publicKeyConvert(publicKey, true),
    sign: (digest, privateKey) => native.ecdsaSign(digest, privateKey).signature,
    verify: (signature, digest, publicKey) => native.ecdsaVerify(signature, digest, publicKey),
  }
}

/** Returns the operations in JavaScript: those that `@atproto/crypto` wraps, called without its promises. */
export function javascriptSecp256k1(): Secp256k1 {
  return {
    backend: 'javascript',
    isPrivateKey: (bytes) => curve.utils.isValidPrivateKey(bytes),
    publicKey: (privateKey) => curve.getPublicKey(privateKey, true),
    compress: (publicKey) => curve.ProjectivePoint.fromHex(publicKey).toRawBytes(true),
    sign: (digest, privateKey) => curve.sign(digest, privateKey, { lowS: true }).toCompactRawBytes(),
    verify: (signature, digest, publicKey) =>
      curve.verify(signature, digest, publicKey, { format: 'compact', lowS: true }),
  }
}

/** The implementation that this process uses. */
export const secp256k1: Secp256k1 = nativeSecp256k1() ?? javascriptSecp256k1()

/** Which implementation this process signs with: for its first log line. */
export const signerBackend: SignerBackend = secp256k1.backend
