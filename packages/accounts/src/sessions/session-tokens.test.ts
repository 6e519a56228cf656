import { createHmac } from 'node:crypto'

import { SignJWT, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
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

/** A token with the right signature under any header. */
function signed(header: object): Promise<string> {
  const payload = { scope, aud: audience, sub: did, exp: Math.floor(Date.now() / 1_000) + 60 }
  const text = [header, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return Promise.resolve(`${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`)
}

describe('SessionTokens', () => {
  // SPEC AU-1, AU-2, AU-4
  test('an access token says what SPEC AU-1, AU-2 and AU-4 want', () => {
    const token = tokens().issueAccess(audience, { did, scope, epoch: 0 })
    expect(decodeProtectedHeader(token)).toEqual({ typ: 'at+jwt', alg: 'HS256' })
    const payload = decodeJwt(token)
    expect(payload).toMatchObject({ scope, sub: did, aud: audience })
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(30 * 60)
  })

  test('is good for its own host only', () => {
    const issuer = tokens()
    const token = issuer.issueAccess(audience, { did, scope, epoch: 0 })
    expect(issuer.verifyAccess(audience, token)).toMatchObject({ did, scope })
    expect(() => issuer.verifyAccess('did:web:two.example', token)).toThrow(InvalidTokenError)
  })

  test('makes what jose takes, and takes what jose makes', async () => {
    const token = tokens().issueAccess(audience, { did, scope, epoch: 0 })
    const options = { algorithms: ['HS256'], audience, typ: 'at+jwt' }
    const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), options)
    expect(payload).toEqual(decodeJwt(token))
    expect(tokens().verifyAccess(audience, await forged('at+jwt', {}))).toMatchObject({ did, scope })
  })

  test('refuses a token with any one character changed', () => {
    const issuer = tokens()
    const token = issuer.issueAccess(audience, { did, scope, epoch: 0 })
    for (let n = 0; n < token.length; n++) {
      const changed = `${token.slice(0, n)}${token[n] === 'A' ? 'B' : 'A'}${token.slice(n + 1)}`
      expect(() => issuer.verifyAccess(audience, changed)).toThrow(InvalidTokenError)
    }
    for (const cut of [
      '',
      '.',
      '..',
      `${token}=`,
      token.slice(0, -1),
      token.slice(0, token.lastIndexOf('.')),
    ]) {
      expect(() => issuer.verifyAccess(audience, cut)).toThrow(InvalidTokenError)
    }
  })

  // SPEC AU-1
  test('tells access from refresh', () => {
    const issuer = tokens()
    const expiresAt = issuer.refreshExpiry(null)
    const refresh = issuer.issueRefresh(audience, { did, id: 'id', expiresAt })
    expect(() => issuer.verifyAccess(audience, refresh)).toThrow(InvalidTokenError)
    expect(issuer.verifyRefresh(audience, refresh)).toEqual({ did, id: 'id' })
    const access = issuer.issueAccess(audience, { did, scope, epoch: 0 })
    expect(() => issuer.verifyRefresh(audience, access)).toThrow(InvalidTokenError)
  })

  test('a remembered token still expires', () => {
    vi.useFakeTimers()
    try {
      const issuer = tokens(minuteMs)
      const token = issuer.issueAccess(audience, { did, scope, epoch: 0 })
      issuer.verifyAccess(audience, token)
      vi.setSystemTime(Date.now() + minuteMs + 1_000)
      expect(() => issuer.verifyAccess(audience, token)).toThrow(ExpiredTokenError)
    } finally {
      vi.useRealTimers()
    }
  })

  test('an expired refresh token is good for signing out only', () => {
    const issuer = tokens()
    const expiresAt = new Date(Date.now() - minuteMs)
    const token = issuer.issueRefresh(audience, { did, id: 'id', expiresAt })
    expect(() => issuer.verifyRefresh(audience, token)).toThrow(ExpiredTokenError)
    expect(issuer.verifyRefresh(audience, token, { allowExpired: true })).toEqual({ did, id: 'id' })
  })

  test.each([
    ['an OAuth token', () => forged('at+jwt', { cnf: { jkt: 'x' } })],
    ['a service token', () => forged('at+jwt', { lxm: 'com.atproto.repo.createRecord' })],
    ['another type', () => forged('JWT', {})],
    ['an unknown scope', () => forged('at+jwt', { scope: 'com.atproto.everything' })],
    ['another algorithm', () => signed({ typ: 'at+jwt', alg: 'none' })],
    ['an extension that must be understood', () => signed({ typ: 'at+jwt', alg: 'HS256', crit: ['x'] })],
    ['text', () => Promise.resolve('not.a.token')],
    ['too long a text', () => Promise.resolve('x'.repeat(100_000))],
  ])('refuses %s', async (_name, make) => {
    const token = await make()
    expect(() => tokens().verifyAccess(audience, token)).toThrow(InvalidTokenError)
  })

  test('refuses a token of another secret', () => {
    const other = new SessionTokens({
      secret: `${secret}!`,
      accessTokenMs: minuteMs,
      refreshTokenMs: minuteMs,
    })
    const token = other.issueAccess(audience, { did, scope, epoch: 0 })
    expect(() => tokens().verifyAccess(audience, token)).toThrow(InvalidTokenError)
  })
})
