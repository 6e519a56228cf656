import { P256Keypair } from '@atproto/crypto'
import {
  formatDidKey,
  keySigner,
  parseDidKey,
  parseVerificationMethod,
  verifySignature,
} from '@rookery/identity'
import { base58btc } from 'multiformats/bases/base58'
import { describe, expect, test } from 'vitest'

import { jsonVectors } from './vectors.ts'

type SignatureCase = {
  comment: string
  messageBase64: string
  didDocSuite: string
  publicKeyDid: string
  publicKeyMultibase: string
  signatureBase64: string
  validSignature: boolean
}

// SPEC CR-1
describe('signatures', () => {
  test.each(jsonVectors('crypto/signature-fixtures.json') as SignatureCase[])('$comment', (fixture) => {
    const [message, signature] = [
      Buffer.from(fixture.messageBase64, 'base64'),
      Buffer.from(fixture.signatureBase64, 'base64'),
    ]
    expect(verifySignature(fixture.publicKeyDid, message, signature)).toBe(fixture.validSignature)
  })

  test.each(jsonVectors('crypto/signature-fixtures.json') as SignatureCase[])(
    'legacy key: $comment',
    (fixture) => {
      const { didDocSuite: type, publicKeyMultibase } = fixture
      expect(formatDidKey(parseVerificationMethod({ type, publicKeyMultibase }))).toBe(fixture.publicKeyDid)
    },
  )
})

// SPEC CR-2
describe('did:key', () => {
  test.each(
    jsonVectors('crypto/w3c_didkey_K256.json') as { privateKeyBytesHex: string; publicDidKey: string }[],
  )('of a K-256 private key is $publicDidKey', ({ privateKeyBytesHex, publicDidKey }) => {
    expect(keySigner(Buffer.from(privateKeyBytesHex, 'hex')).didKey).toBe(publicDidKey)
    expect(formatDidKey(parseDidKey(publicDidKey))).toBe(publicDidKey)
  })

  test.each(
    jsonVectors('crypto/w3c_didkey_P256.json') as { privateKeyBytesBase58: string; publicDidKey: string }[],
  )('of a P-256 private key is $publicDidKey', async ({ privateKeyBytesBase58, publicDidKey }) => {
    const pair = await P256Keypair.import(base58btc.decode(`z${privateKeyBytesBase58}`))
    expect(formatDidKey({ curve: 'p256', bytes: pair.publicKeyBytes() })).toBe(publicDidKey)
    const message = Buffer.from('message')
    expect(verifySignature(publicDidKey, message, await pair.sign(message))).toBe(true)
  })
})
