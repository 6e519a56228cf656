import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { type KeySigner, generatePrivateKey, keySigner, verifySignature } from '../crypto/signer.ts'
import { keptServiceTokensMax, serviceTokenReuseMs } from '../limits.ts'
import { ServiceTokens } from './service-tokens.ts'

const account = { id: 7, did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' }
const wanted = { audience: 'did:web:view.example', method: 'com.example.get', isReusable: true }

let signer: KeySigner
let tokens: ServiceTokens
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
  signer = keySigner(generatePrivateKey())
  tokens = new ServiceTokens({ signerFor: () => Promise.resolve(signer) })
})
afterEach(() => vi.useRealTimers())

function payloadOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
}

describe('a token for a query', () => {
  test('is used again for as long as it has half of its minute left', async () => {
    const first = await tokens.tokenFor(account, wanted)
    vi.advanceTimersByTime(serviceTokenReuseMs - 1)
    expect(await tokens.tokenFor(account, wanted)).toBe(first)
    const leftMs = Number(payloadOf(first)['exp']) * 1000 - Date.now()
    expect(leftMs).toBeGreaterThan(29_000)
    vi.advanceTimersByTime(1)
    expect(await tokens.tokenFor(account, wanted)).not.toBe(first)
  })

  test.each([
    ['account', { id: 8, did: 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb' }, wanted],
    ['service', account, { ...wanted, audience: 'did:web:other.example' }],
    ['method', account, { ...wanted, method: 'com.example.other' }],
  ])('is not used for another %s', async (_, who, what) => {
    const first = await tokens.tokenFor(account, wanted)
    const other = await tokens.tokenFor(who, what)
    expect(other).not.toBe(first)
    expect(payloadOf(other)).toMatchObject({ iss: who.did, aud: what.audience, lxm: what.method })
  })

  test('is not used any more once the account has another key', async () => {
    const first = await tokens.tokenFor(account, wanted)
    signer = keySigner(generatePrivateKey())
    const second = await tokens.tokenFor(account, wanted)
    expect(second).not.toBe(first)
    const [head, payload, signature] = second.split('.') as [string, string, string]
    const signed = Buffer.from(`${head}.${payload}`)
    expect(verifySignature(signer.didKey, signed, Buffer.from(signature, 'base64url'))).toBe(true)
  })

  test('is one of a bounded number', async () => {
    const first = await tokens.tokenFor(account, wanted)
    for (let n = 0; n < keptServiceTokensMax; n++) {
      await tokens.tokenFor({ ...account, id: 1_000 + n }, wanted)
    }
    expect(await tokens.tokenFor(account, wanted)).not.toBe(first)
  })
})

test('a procedure gets a token of its own each time', async () => {
  const once = { ...wanted, isReusable: false }
  const first = await tokens.tokenFor(account, once)
  expect(await tokens.tokenFor(account, once)).not.toBe(first)
  expect(await tokens.tokenFor(account, wanted)).not.toBe(first)
})
