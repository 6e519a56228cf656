import { hash } from 'node:crypto'

import { secondMs } from '@rookery/std'
import { createDecoder, createSigner, createVerifier } from 'fast-jwt'
import { LRUCache } from 'lru-cache'

import { ExpiredTokenError, InvalidTokenError } from '../errors.ts'
import { tokenLengthMax, verifiedTokensMax } from '../limits.ts'
import { type AccessScope, isAccessScope, refreshScope } from './scopes.ts'

/** Header or payload of a JWT, by name; nothing of it is typed. */
type TokenPart = Readonly<Record<string, unknown>>

const algorithm = 'HS256'
const decodeHeader = createDecoder({ complete: true })

/** What an access token says. */
export type AccessClaims = {
  did: string
  scope: AccessScope
  /** The account's `session_epoch` when it was made: good while that is the same. */
  epoch: number
  expiresAtMs: number
}

/** What a refresh token says. */
export type RefreshClaims = { did: string; id: string }

export type SessionTokensOptions = {
  /** Shared by every process, at least 32 characters. */
  secret: string
  /** Life of an access token, in milliseconds. */
  accessTokenMs: number
  /** Life of a refresh token, in milliseconds. */
  refreshTokenMs: number
}

/**
 * Makes and checks session tokens: HS256 JWTs whose `typ` tells access from refresh and whose `aud` is the host's
 * service DID, so that a token of one host is none at another (SPEC AU-1, AU-2).
 *
 * An access token that was verified is remembered by its SHA-256 until it expires: a signed statement does not
 * change. What may change, the account's status, is not part of it and is checked by the caller for each request.
 */
export class SessionTokens {
  readonly #options: SessionTokensOptions
  readonly #signers: Record<'at+jwt' | 'refresh+jwt', (payload: TokenPart) => string>
  readonly #open: (token: string) => { header: TokenPart; payload: TokenPart }
  /** The audience is part of the key. */
  readonly #verified = new LRUCache<string, AccessClaims>({ max: verifiedTokensMax })

  constructor(options: SessionTokensOptions) {
    this.#options = options
    const signer = (typ: string): ((payload: TokenPart) => string) =>
      createSigner({ key: options.secret, algorithm, header: { alg: algorithm, typ } })
    this.#signers = { 'at+jwt': signer('at+jwt'), 'refresh+jwt': signer('refresh+jwt') }
    // Expiry is checked here: an expired refresh token is good for signing out.
    this.#open = createVerifier({
      key: options.secret,
      algorithms: [algorithm],
      complete: true,
      ignoreExpiration: true,
    })
  }

  /** Returns a new access token for the account on the host with this service DID. */
  issueAccess(audience: string, claims: { did: string; scope: AccessScope; epoch: number }): string {
    const expiresAtMs = Date.now() + this.#options.accessTokenMs
    const { did, scope, epoch } = claims
    return this.#sign('at+jwt', audience, did, expiresAtMs, { scope, epoch })
  }

  /** Returns a new refresh token with this id. */
  issueRefresh(audience: string, claims: RefreshClaims & { expiresAt: Date }): string {
    const payload = { scope: refreshScope, jti: claims.id }
    return this.#sign('refresh+jwt', audience, claims.did, claims.expiresAt.getTime(), payload)
  }

  /** Returns when a refresh token that is made now expires: after `lifeMs`, or the cluster's time without one. */
  refreshExpiry(lifeMs: number | null): Date {
    return new Date(Date.now() + (lifeMs ?? this.#options.refreshTokenMs))
  }

  /**
   * Returns what an access token of this audience says.
   *
   * @throws {ExpiredTokenError} if its time is over.
   * @throws {InvalidTokenError} if it is anything but an unexpired access token that we made for the audience.
   */
  verifyAccess(audience: string, token: string): AccessClaims {
    const cacheKey = `${audience} ${hash('sha256', token, 'base64')}`
    const known = this.#verified.get(cacheKey)
    if (known !== undefined && known.expiresAtMs > Date.now()) return known
    this.#verified.delete(cacheKey)
    const payload = this.#verify('at+jwt', audience, token)
    const { sub, scope, epoch = 0, exp } = payload
    if (typeof sub !== 'string' || !isAccessScope(scope) || typeof epoch !== 'number') throw invalidToken()
    const claims = { did: sub, scope, epoch, expiresAtMs: exp * secondMs }
    this.#verified.set(cacheKey, claims)
    return claims
  }

  /**
   * Returns what a refresh token of this audience says. Whether it is still good is in the database.
   *
   * @param options.allowExpired takes one whose time is over, to sign out with.
   * @throws {ExpiredTokenError} if its time is over.
   * @throws {InvalidTokenError} if it is anything but a refresh token that we made for the audience.
   */
  verifyRefresh(audience: string, token: string, options: { allowExpired?: boolean } = {}): RefreshClaims {
    const { sub, scope, jti } = this.#verify('refresh+jwt', audience, token, options.allowExpired)
    if (typeof sub !== 'string' || scope !== refreshScope || typeof jti !== 'string') throw invalidToken()
    return { did: sub, id: jti }
  }

  #sign(
    typ: 'at+jwt' | 'refresh+jwt',
    audience: string,
    did: string,
    expiresAtMs: number,
    payload: TokenPart,
  ): string {
    const [iat, exp] = [Date.now(), expiresAtMs].map((ms) => Math.floor(ms / secondMs))
    return this.#signers[typ]({ ...payload, aud: audience, sub: did, iat, exp })
  }

  #verify(typ: string, audience: string, token: string, allowExpired = false): TokenPart & { exp: number } {
    const opened = this.#tryOpen(token)
    if (opened?.header['typ'] !== typ || opened.payload['aud'] !== audience) throw invalidToken()
    const { payload } = opened
    const { exp } = payload
    if (typeof exp !== 'number') throw invalidToken()
    if (!allowExpired && exp * secondMs <= Date.now()) throw new ExpiredTokenError('Token has expired')
    // An OAuth token (bound to a key) and a service token (bound to a method) are no session (SPEC AU-1).
    if (payload['cnf'] !== undefined || payload['lxm'] !== undefined)
      throw new InvalidTokenError('Malformed token')
    return { ...payload, exp }
  }

  #tryOpen(token: string): { header: TokenPart; payload: TokenPart } | undefined {
    // Each token has one text: other encodings of the same signature are none of ours.
    const signature = token.slice(token.lastIndexOf('.') + 1)
    if (token.length > tokenLengthMax) return undefined
    if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) return undefined
    try {
      return this.#open(token)
    } catch {
      return undefined
    }
  }
}

/** Returns the `typ` in a JWT's header without checking anything else, or undefined if the text is no JWT. */
export function peekTokenType(token: string): unknown {
  try {
    return (decodeHeader(token) as { header: TokenPart }).header['typ']
  } catch {
    return undefined
  }
}

function invalidToken(): InvalidTokenError {
  return new InvalidTokenError('Token could not be verified')
}
