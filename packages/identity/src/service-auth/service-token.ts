import { randomBytes } from 'node:crypto'

import type { KeySigner } from '../crypto/signer.ts'
import { serviceTokenDefaultMs } from '../limits.ts'

/** What a service token says: who calls, whom, what. */
export type ServiceTokenClaims = {
  issuer: string
  /** DID of the service, with `#` and its id or without. */
  audience: string
  /** NSID of the one method that it is for; undefined for any. */
  method: string | undefined
  /** Default: in a minute. */
  expiresAtMs?: number
}

/** Returns a service token (SPEC SA-1), signed with the issuer's key. */
export function issueServiceToken(signer: KeySigner, claims: ServiceTokenClaims): string {
  const now = Date.now()
  const payload = {
    iat: Math.floor(now / 1000),
    iss: claims.issuer,
    aud: claims.audience,
    exp: Math.floor((claims.expiresAtMs ?? now + serviceTokenDefaultMs) / 1000),
    ...(claims.method === undefined ? {} : { lxm: claims.method }),
    jti: randomBytes(16).toString('hex'),
  }
  const signed = `${encode({ typ: 'JWT', alg: 'ES256K' })}.${encode(payload)}`
  return `${signed}.${Buffer.from(signer.sign(Buffer.from(signed))).toString('base64url')}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
