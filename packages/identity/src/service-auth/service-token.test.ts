import { P256Keypair } from '@atproto/crypto'
import { describe, expect, test } from 'vitest'

import { type KeySigner, generatePrivateKey, keySigner } from '../crypto/signer.ts'
import type { InvalidServiceTokenError, ServiceTokenProblem } from '../errors.ts'
import { clockSkewMs } from '../limits.ts'
import type { DidDocument } from '../resolution/did-document.ts'
import { type ServiceTokenClaims, issueServiceToken } from './service-token.ts'
import { verifyServiceToken } from './verify-service-token.ts'

const issuer = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const audience = 'did:web:pds.example.com'
const method = 'com.atproto.server.createAccount'
const signer = keySigner(generatePrivateKey())
const claims: ServiceTokenClaims = { issuer, audience, method }

function documentWith(didKey: string): DidDocument {
  const publicKeyMultibase = didKey.slice('did:key:'.length)
  return {
    id: issuer,
    verificationMethod: [{ id: '#atproto', type: 'Multikey', controller: issuer, publicKeyMultibase }],
  }
}

function verify(token: string, cached = signer.didKey, current = cached) {
  const resolveDid = (_did: string, options: { refresh?: boolean } = {}) =>
    Promise.resolve(documentWith(options.refresh === true ? current : cached))
  return verifyServiceToken({ identities: { resolveDid } }, token, { audience, method })
}

function signed(header: object, payload: object, by: KeySigner = signer): string {
  const text = [header, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${text}.${Buffer.from(by.sign(Buffer.from(text))).toString('base64url')}`
}

async function problemOf(token: string): Promise<ServiceTokenProblem | undefined> {
  try {
    await verify(token)
    return undefined
  } catch (error) {
    return (error as InvalidServiceTokenError).problem
  }
}

describe('verifyServiceToken', () => {
  // SPEC SA-1
  test('takes what issueServiceToken makes, for the bare service DID and for its #atproto_pds', async () => {
    expect(await verify(issueServiceToken(signer, claims))).toMatchObject({ issuer })
    const full = { ...claims, audience: `${audience}#atproto_pds` }
    expect(await verify(issueServiceToken(signer, full))).toMatchObject({ issuer })
  })

  test('takes ES256 of a P-256 key', async () => {
    const keypair = await P256Keypair.create()
    const payload = {
      iss: issuer,
      aud: audience,
      lxm: method,
      jti: 'x',
      exp: Math.floor(Date.now() / 1000) + 60,
    }
    const text = [{ typ: 'JWT', alg: 'ES256' }, payload]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const signature = Buffer.from(await keypair.sign(Buffer.from(text))).toString('base64url')
    expect(await verify(`${text}.${signature}`, keypair.did())).toMatchObject({ issuer, jti: 'x' })
  })

  // SPEC SA-3
  test('looks a rotated key up anew', async () => {
    const old = keySigner(generatePrivateKey())
    expect(await verify(issueServiceToken(signer, claims), old.didKey, signer.didKey)).toMatchObject({
      issuer,
    })
  })

  // SPEC SA-3, SA-4
  test.each<[ServiceTokenProblem, string]>([
    ['BadJwt', 'text'],
    ['BadJwt', 'a.b.c'],
    ['BadJwt', signed({ typ: 'JWT' }, { iss: issuer })],
    ['BadJwtType', signed({ typ: 'at+jwt' }, { iss: issuer })],
    ['BadJwtType', signed({ typ: 'DPoP+JWT' }, { iss: issuer })],
    ['JwtExpired', issueServiceToken(signer, { ...claims, expiresAtMs: Date.now() - clockSkewMs - 2_000 })],
    ['BadJwt', issueServiceToken(signer, { ...claims, expiresAtMs: Date.now() + 2 * 3_600_000 })],
    ['BadJwtAudience', issueServiceToken(signer, { ...claims, audience: 'did:web:other.example' })],
    ['BadJwtAudience', issueServiceToken(signer, { ...claims, audience: `${audience}#other` })],
    [
      'BadJwtLexiconMethod',
      issueServiceToken(signer, { ...claims, method: 'com.atproto.repo.createRecord' }),
    ],
    ['BadJwtSignature', issueServiceToken(keySigner(generatePrivateKey()), claims)],
  ])('refuses with %s', async (problem, token) => {
    expect(await problemOf(token)).toBe(problem)
  })

  test('a token without a method is good for none', async () => {
    expect(await problemOf(issueServiceToken(signer, { ...claims, method: undefined }))).toBe('BadJwt')
  })
})
