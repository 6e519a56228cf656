import { DomainError } from '@rookery/std'

import { verifySignature } from '../crypto/signer.ts'
import { DidUnreachableError, InvalidServiceTokenError } from '../errors.ts'
import { clockSkewMs, serviceTokenLengthMax, serviceTokenMaxMs } from '../limits.ts'
import { verificationKey } from '../resolution/did-document.ts'
import type { IdentityResolver } from '../resolution/identity-resolver.ts'

/** What a token must be for, and whose it may be. */
export type ExpectedServiceToken = {
  /** Our own service DID. */
  audience: string
  /** NSID of the method that is called. */
  method: string
  /** Tells whose tokens are taken, before anything is asked of them. Default: everybody's. */
  isTrusted?: (did: string) => boolean
  /** Whether a labeler may sign as `<did>#atproto_labeler`, with its `#atproto_label` key. Default false. */
  mayBeLabeler?: boolean
}

/** What a verified service token says; the issuer is a DID. */
export type VerifiedServiceToken = { issuer: string; jti: string; expiresAtMs: number }

export type VerifyServiceTokenDeps = {
  identities: Pick<IdentityResolver, 'resolveDid'>
}

type Issuer = { did: string; key: 'atproto' | 'atproto_label' }

type Payload = { iss: string; aud: string; exp: number; lxm: string; jti: string }

// Tokens that are signed for other purposes; one of them must never pass here (SPEC SA-3).
const foreignTypes = ['at+jwt', 'refresh+jwt', 'dpop+jwt']

const labelerSuffix = '#atproto_labeler'

/**
 * Returns what a service token says, once its signature by the issuer's key is verified. If that fails with the cached
 * document, the document is fetched anew once: keys rotate. Whether the token was seen before is the caller's to check.
 *
 * @throws {InvalidServiceTokenError} if it does not prove that the issuer calls this method here.
 * @throws {DidUnreachableError} if nobody answers who the issuer is.
 */
export async function verifyServiceToken(
  deps: VerifyServiceTokenDeps,
  token: string,
  expected: ExpectedServiceToken,
): Promise<VerifiedServiceToken> {
  const { signed, signature, payload } = parseToken(token)
  const expiresAtMs = payload.exp * 1000
  if (expiresAtMs + clockSkewMs <= Date.now()) throw new InvalidServiceTokenError('JwtExpired', 'jwt expired')
  if (expiresAtMs > Date.now() + serviceTokenMaxMs + clockSkewMs) {
    throw new InvalidServiceTokenError('BadJwt', 'jwt expires more than an hour from now')
  }
  if (payload.aud !== expected.audience && payload.aud !== `${expected.audience}#atproto_pds`) {
    throw new InvalidServiceTokenError('BadJwtAudience', 'jwt audience does not match service did')
  }
  if (payload.lxm !== expected.method) {
    throw new InvalidServiceTokenError(
      'BadJwtLexiconMethod',
      `bad jwt lexicon method ("lxm"). must match: ${expected.method}`,
    )
  }
  const issuer = issuerOf(payload.iss, expected)
  const isSigned =
    (await isSignedBy(deps, issuer, { signed, signature, refresh: false })) ||
    (await isSignedBy(deps, issuer, { signed, signature, refresh: true }))
  if (!isSigned)
    throw new InvalidServiceTokenError('BadJwtSignature', 'jwt signature does not match jwt issuer')
  return { issuer: issuer.did, jti: payload.jti, expiresAtMs }
}

function issuerOf(iss: string, { isTrusted, mayBeLabeler }: ExpectedServiceToken): Issuer {
  const isLabeler = mayBeLabeler === true && iss.endsWith(labelerSuffix)
  const did = isLabeler ? iss.slice(0, -labelerSuffix.length) : iss
  if (isTrusted?.(did) === false) throw new InvalidServiceTokenError('UntrustedIss', 'Untrusted issuer')
  return { did, key: isLabeler ? 'atproto_label' : 'atproto' }
}

async function isSignedBy(
  deps: VerifyServiceTokenDeps,
  issuer: Issuer,
  proof: { signed: Buffer; signature: Buffer; refresh: boolean },
): Promise<boolean> {
  try {
    const document = await deps.identities.resolveDid(issuer.did, { refresh: proof.refresh })
    const didKey = verificationKey(document, issuer.key)
    return didKey !== undefined && verifySignature(didKey, proof.signed, proof.signature)
  } catch (error) {
    // Nobody knows whether the token is good: that is no word against it.
    if (!(error instanceof DomainError) || error instanceof DidUnreachableError) throw error
    throw new InvalidServiceTokenError('BadJwtIss', 'could not resolve the jwt issuer', { cause: error })
  }
}

function parseToken(token: string): { signed: Buffer; signature: Buffer; payload: Payload } {
  const parts = token.length <= serviceTokenLengthMax ? token.split('.') : []
  const [header, payload, signature] = parts
  if (parts.length !== 3 || !header || !payload || !signature) {
    throw new InvalidServiceTokenError('BadJwt', 'poorly formatted jwt')
  }
  const { typ } = parseJson(header)
  if (typeof typ === 'string' && foreignTypes.includes(typ.toLowerCase())) {
    throw new InvalidServiceTokenError('BadJwtType', `Invalid jwt type "${typ}"`)
  }
  const { iss, aud, exp, lxm, jti } = parseJson(payload)
  const isComplete =
    typeof iss === 'string' &&
    typeof aud === 'string' &&
    typeof exp === 'number' &&
    typeof lxm === 'string' &&
    typeof jti === 'string'
  if (!isComplete) throw new InvalidServiceTokenError('BadJwt', 'poorly formatted jwt')
  return {
    signed: Buffer.from(`${header}.${payload}`),
    signature: Buffer.from(signature, 'base64url'),
    payload: { iss, aud, exp, lxm, jti },
  }
}

function parseJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Falls through: what is no JSON is as bad as what is no object.
  }
  throw new InvalidServiceTokenError('BadJwt', 'poorly formatted jwt')
}
