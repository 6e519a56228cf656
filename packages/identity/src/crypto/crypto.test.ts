import { generateKeyPairSync, hash } from 'node:crypto'

import {
  P256Keypair,
  Secp256k1Keypair,
  parseDidKey as oracleParse,
  verifySignature as oracleVerify,
} from '@atproto/crypto'
import fc from 'fast-check'
import { base58btc } from 'multiformats/bases/base58'
import { describe, expect, test } from 'vitest'

import { javascriptSecp256k1, nativeSecp256k1, signerBackend } from './backend.ts'
import { InvalidKeyError } from './errors.ts'
import { formatDidKey, formatMultikey, parseDidKey, parseMultikey, parseVerificationMethod } from './keys.ts'
import { generatePrivateKey, keySigner, verifySignature } from './signer.ts'

const native = nativeSecp256k1()
const javascript = javascriptSecp256k1()
const bytes = fc.uint8Array({ maxLength: 500 })
const privateKey = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((key) => javascript.isPrivateKey(key))

describe('keySigner', () => {
  test('signs as @atproto/crypto does, byte for byte, and verifies', async () => {
    await fc.assert(
      fc.asyncProperty(privateKey, bytes, async (key, message) => {
        const signer = keySigner(key)
        const oracle = await Secp256k1Keypair.import(key)
        expect(signer.didKey).toBe(oracle.did())
        const signature = signer.sign(message)
        expect(Buffer.from(signature)).toEqual(Buffer.from(await oracle.sign(message)))
        expect(verifySignature(signer.didKey, message, signature)).toBe(true)
        expect(await oracleVerify(signer.didKey, message, signature)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  test('refuses what is no private key', () => {
    for (const key of [new Uint8Array(32), new Uint8Array(31).fill(1), new Uint8Array(32).fill(0xff)]) {
      expect(() => keySigner(key)).toThrow(InvalidKeyError)
    }
    expect(keySigner(generatePrivateKey()).didKey).toMatch(/^did:key:zQ3sh/)
  })
})

describe('backends', () => {
  test('where there is no addon, JavaScript is the fallback', () => {
    const missing = () => {
      throw new Error('no prebuild for this platform')
    }
    expect(nativeSecp256k1(missing)).toBeUndefined()
    expect(signerBackend).toBe(native ? 'native' : 'javascript')
  })

  test.runIf(native)('agree on keys, signatures and verdicts', () => {
    fc.assert(
      fc.property(
        privateKey,
        bytes,
        fc.nat(63),
        fc.integer({ min: 1, max: 255 }),
        (key, message, at, flip) => {
          const [a, b] = [native ?? javascript, javascript]
          const digest = hash('sha256', message, 'buffer')
          const publicKey = b.publicKey(key)
          expect(Buffer.from(a.publicKey(key))).toEqual(Buffer.from(publicKey))
          const signature = b.sign(digest, key)
          expect(Buffer.from(a.sign(digest, key))).toEqual(Buffer.from(signature))
          const changed = Buffer.from(signature)
          changed[at] = (changed[at] ?? 0) ^ flip
          expect(a.verify(signature, digest, publicKey)).toBe(true)
          expect(a.verify(changed, digest, publicKey)).toBe(false)
          expect(b.verify(changed, digest, publicKey)).toBe(false)
        },
      ),
      { numRuns: 50 },
    )
  })
})

// SPEC CR-1
describe('verifySignature', () => {
  test('accepts what @atproto/crypto signs with P-256, and nothing that was changed', async () => {
    for (let i = 0; i < 20; i++) {
      const key = await P256Keypair.create()
      const message = Buffer.from(`message ${i}`)
      const signature = await key.sign(message)
      expect(verifySignature(key.did(), message, signature)).toBe(true)
      expect(verifySignature(key.did(), Buffer.from('another'), signature)).toBe(false)
      expect(verifySignature((await P256Keypair.create()).did(), message, signature)).toBe(false)
    }
  })

  test.each([
    ['k256', () => Secp256k1Keypair.create()],
    ['p256', () => P256Keypair.create()],
  ])('refuses signatures of %s that are out of range or of another length', async (_, create) => {
    const key = await create()
    const message = Buffer.from('message')
    const signature = Buffer.from(await key.sign(message))
    const zero = Buffer.alloc(64)
    const beyond = Buffer.alloc(64, 0xff)
    for (const wrong of [
      zero,
      beyond,
      signature.subarray(1),
      Buffer.concat([signature, zero]),
      Buffer.alloc(0),
    ]) {
      expect(verifySignature(key.did(), message, wrong)).toBe(false)
    }
  })
})

describe('keys', () => {
  // SPEC CR-2
  test('of both curves are read and written as @atproto/crypto does', async () => {
    for (const pair of [await Secp256k1Keypair.create(), await P256Keypair.create()]) {
      const key = parseDidKey(pair.did())
      expect(Buffer.from(key.bytes)).toEqual(Buffer.from(pair.publicKeyBytes()))
      expect(formatDidKey(key)).toBe(pair.did())
      expect(formatMultikey(parseMultikey(pair.did().slice('did:key:'.length)))).toBe(
        pair.did().slice('did:key:'.length),
      )
    }
  })

  // SPEC CR-3
  test('of legacy verification methods may be uncompressed', async () => {
    const types = { k256: 'EcdsaSecp256k1VerificationKey2019', p256: 'EcdsaSecp256r1VerificationKey2019' }
    for (const pair of [await Secp256k1Keypair.create(), await P256Keypair.create()]) {
      const { keyBytes: uncompressed } = oracleParse(pair.did())
      const { curve } = parseDidKey(pair.did())
      for (const point of [uncompressed, pair.publicKeyBytes()]) {
        const publicKeyMultibase = `f${Buffer.from(point).toString('hex')}`
        expect(formatDidKey(parseVerificationMethod({ type: types[curve], publicKeyMultibase }))).toBe(
          pair.did(),
        )
      }
    }
  })

  test('of another kind are refused', () => {
    const { publicKey } = generateKeyPairSync('ed25519')
    const ed25519 = Buffer.concat([
      Buffer.from([0xed, 0x01]),
      publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
    ])
    const offCurve = Buffer.concat([Buffer.from([0xe7, 0x01, 0x02]), Buffer.alloc(32, 0xff)])
    const offP256 = Buffer.concat([Buffer.from([0x80, 0x24, 0x02]), Buffer.alloc(32, 0xff)])
    for (const wrong of [ed25519, offCurve, offP256, Buffer.from([0xe7, 0x01])]) {
      expect(() => parseMultikey(base58btc.encode(wrong))).toThrow(InvalidKeyError)
    }
    expect(() =>
      parseVerificationMethod({ type: 'Ed25519VerificationKey2020', publicKeyMultibase: 'z6Mk' }),
    ).toThrow(InvalidKeyError)
  })
})
