import {
  type KeyObject,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  randomBytes,
} from 'node:crypto'

import { assert, must } from '@rookery/std'

import { UnwrapFailedError } from '../errors.ts'

// version (1) | id of the wrapping key (8) | nonce (12) | tag (16) | ciphertext
const version = 1
const keyIdBytes = 8
const nonceBytes = 12
const tagBytes = 16
const headBytes = 1 + keyIdBytes + nonceBytes + tagBytes
const algorithm = 'aes-256-gcm'
const keyBytes = 32

/**
 * Wraps private keys with AES-256-GCM. The envelope names the wrapping key, so that one can follow another: the
 * newest wraps, all unwrap. What a key belongs to is additional data: a row that is moved to another account does
 * not unwrap there.
 */
export class KeyWrapper {
  /** Id of the key that wraps: 16 hexadecimal digits, the beginning of its SHA-256. */
  readonly currentKeyId: string
  /** Key objects: Node takes 10 microseconds to make one of bytes for each use. */
  readonly #keys = new Map<string, KeyObject>()

  /** @param keys 32 bytes each, the newest first. */
  constructor(keys: readonly [Uint8Array, ...Uint8Array[]]) {
    for (const key of keys) {
      assert(key.length === keyBytes, 'a wrapping key has 32 bytes')
      this.#keys.set(keyId(key), createSecretKey(key))
    }
    this.currentKeyId = keyId(keys[0])
  }

  /** Returns a wrapper with keys in hexadecimal: the one that wraps, and those that went before it. */
  static fromHex(keys: {
    keyEncryptionKey: string
    keyEncryptionKeysPrevious: readonly string[]
  }): KeyWrapper {
    const previous = keys.keyEncryptionKeysPrevious.map((key) => Buffer.from(key, 'hex'))
    return new KeyWrapper([Buffer.from(keys.keyEncryptionKey, 'hex'), ...previous])
  }

  /** Returns the envelope of a private key that belongs to `owner`, such as a DID. */
  wrap(privateKey: Uint8Array, owner: string): Buffer {
    const nonce = randomBytes(nonceBytes)
    const id = Buffer.from(this.currentKeyId, 'hex')
    const cipher = createCipheriv(algorithm, must(this.#keys.get(this.currentKeyId)), nonce)
    cipher.setAAD(additionalData(id, owner))
    const ciphertext = Buffer.concat([cipher.update(privateKey), cipher.final()])
    return Buffer.concat([Buffer.of(version), id, nonce, cipher.getAuthTag(), ciphertext])
  }

  /**
   * Returns the private key in an envelope.
   *
   * @throws {UnwrapFailedError} if it is another owner's, was altered, or its wrapping key is not here.
   */
  unwrap(envelope: Uint8Array, owner: string): Buffer {
    const bytes = Buffer.from(envelope)
    if (bytes[0] !== version || bytes.length <= headBytes) throw new UnwrapFailedError('not a key envelope')
    const id = bytes.subarray(1, 1 + keyIdBytes)
    const key = this.#keys.get(id.toString('hex'))
    if (key === undefined)
      throw new UnwrapFailedError('the key was wrapped under a key that is not configured')
    const nonce = bytes.subarray(1 + keyIdBytes, 1 + keyIdBytes + nonceBytes)
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
    decipher.setAAD(additionalData(id, owner))
    decipher.setAuthTag(bytes.subarray(headBytes - tagBytes, headBytes))
    try {
      return Buffer.concat([decipher.update(bytes.subarray(headBytes)), decipher.final()])
    } catch (error) {
      throw new UnwrapFailedError('the key is not the owner’s or was altered', { cause: error })
    }
  }

  /** Tells whether the wrapping key of the id wraps, can unwrap, or is not here. */
  standingOf(keyId: string): 'current' | 'previous' | 'unknown' {
    if (keyId === this.currentKeyId) return 'current'
    return this.#keys.has(keyId) ? 'previous' : 'unknown'
  }
}

function keyId(key: Uint8Array): string {
  return hash('sha256', key, 'hex').slice(0, keyIdBytes * 2)
}

function additionalData(id: Buffer, owner: string): Buffer {
  return Buffer.concat([Buffer.of(version), id, Buffer.from(`rookery signing key\0${owner}`)])
}
