import { SignJWT, decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, test, vi } from 'vitest'

import { ExpiredTokenError, InvalidTokenError } from '../errors.ts'
import { SessionTokens } from './session-tokens.ts'

const secret = 'a secret of at least thirty-two characters'
const audience = 'did:web:one.example'
const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const minuteMs = 60_000
const scope = 'com.atproto.access'

function tokens(accessTokenMs = 30 * minuteMs): SessionTokens {
  return new SessionTokens({ secret, accessTokenMs, refreshTokenMs: 60 * minuteMs })
}

function forged(typ: string, payload: Record<string, unknown>): Promise<string> {
  return new SignJWT({ scope, ...payload })
    .setProtectedHeader({ typ, alg: 'HS256' })
    .setAudience(audience)
    .setSubject(did)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret))
}

describe('SessionTokens', () => {
  test('an access token says what SPEC AU-1, AU-2 and AU-4 want', async () => {
    const token = await tokens().issueAccess(audience, { did, scope })
    expect(decodeProtectedHeader(token)).toEqual({ typ: 'at+jwt', alg: 'HS256' })
    const payload = decodeJwt(token)
    expect(payload).toMatchObject({ scope, sub: did, aud: audience })
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(30 * 60)
  })

  test('is good for its own host only', async () => {
    const issuer = tokens()
    const token = await issuer.issueAccess(audience, { did, scope })
    expect(await issuer.verifyAccess(audience, token)).toMatchObject({ did, scope })
    await expect(issuer.verifyAccess('did:web:two.example', token)).rejects.toThrow(InvalidTokenError)
  })

  test('tells access from refresh', async () => {
    const issuer = tokens()
    const expiresAt = issuer.refreshExpiry()
    const refresh = await issuer.issueRefresh(audience, { did, id: 'id', expiresAt })
    await expect(issuer.verifyAccess(audience, refresh)).rejects.toThrow(InvalidTokenError)
    expect(await issuer.verifyRefresh(audience, refresh)).toEqual({ did, id: 'id' })
    const access = await issuer.issueAccess(audience, { did, scope })
    await expect(issuer.verifyRefresh(audience, access)).rejects.toThrow(InvalidTokenError)
  })

  test('a remembered token still expires', async () => {
    vi.useFakeTimers()
    try {
      const issuer = tokens(minuteMs)
      const token = await issuer.issueAccess(audience, { did, scope })
      await issuer.verifyAccess(audience, token)
      vi.setSystemTime(Date.now() + minuteMs + 1_000)
      await expect(issuer.verifyAccess(audience, token)).rejects.toThrow(ExpiredTokenError)
    } finally {
      vi.useRealTimers()
    }
  })

  test('an expired refresh token is good for signing out only', async () => {
    const issuer = tokens()
    const expiresAt = new Date(Date.now() - minuteMs)
    const token = await issuer.issueRefresh(audience, { did, id: 'id', expiresAt })
    await expect(issuer.verifyRefresh(audience, token)).rejects.toThrow(ExpiredTokenError)
    expect(await issuer.verifyRefresh(audience, token, { allowExpired: true })).toEqual({ did, id: 'id' })
  })

  test.each([
    ['an OAuth token', () => forged('at+jwt', { cnf: { jkt: 'x' } })],
    ['a service token', () => forged('at+jwt', { lxm: 'com.atproto.repo.createRecord' })],
    ['another type', () => forged('JWT', {})],
    ['an unknown scope', () => forged('at+jwt', { scope: 'com.atproto.everything' })],
    ['text', () => Promise.resolve('not.a.token')],
    ['too long a text', () => Promise.resolve('x'.repeat(100_000))],
  ])('refuses %s', async (_name, make) => {
    await expect(tokens().verifyAccess(audience, await make())).rejects.toThrow(InvalidTokenError)
  })

  test('refuses a token of another secret', async () => {
    const other = new SessionTokens({
      secret: `${secret}!`,
      accessTokenMs: minuteMs,
      refreshTokenMs: minuteMs,
    })
    const token = await other.issueAccess(audience, { did, scope })
    await expect(tokens().verifyAccess(audience, token)).rejects.toThrow(InvalidTokenError)
  })
})
