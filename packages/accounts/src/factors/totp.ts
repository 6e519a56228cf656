import { randomBytes } from 'node:crypto'

import { secondMs } from '@rookery/std'
import { Secret, TOTP } from 'otpauth'

// What every authenticator app takes (RFC 6238 with its defaults).
const algorithm = 'SHA1'
const digits = 6
const periodSeconds = 30
const secretBytes = 20

/** Steps before and after the present one whose codes are taken: clocks differ. */
const windowSteps = 1

/** Returns a new secret to be shared with an authenticator app. */
export function newTotpSecret(): Buffer {
  return randomBytes(secretBytes)
}

/** Returns the secret as an authenticator app takes it: the text to type, and the `otpauth:` URI of its QR code. */
export function describeTotp(
  secret: Uint8Array,
  { issuer, label }: { issuer: string; label: string },
): { text: string; uri: string } {
  const totp = totpOf(secret, { issuer, label })
  return { text: totp.secret.base32, uri: totp.toString() }
}

/** Returns the time step whose code this is, at most one away from the present one; undefined if it is none's. */
export function findTotpStep(secret: Uint8Array, code: string, nowMs: number): number | undefined {
  const delta = totpOf(secret).validate({ token: code, timestamp: nowMs, window: windowSteps })
  return delta === null ? undefined : Math.floor(nowMs / (periodSeconds * secondMs)) + delta
}

/** Tells whether a text could be a code of an authenticator app. */
export function isTotpCode(text: string): boolean {
  return /^[0-9]{6}$/.test(text)
}

function totpOf(secret: Uint8Array, name: { issuer?: string; label?: string } = {}): TOTP {
  const bytes = Uint8Array.from(secret)
  return new TOTP({
    ...name,
    secret: new Secret({ buffer: bytes.buffer }),
    algorithm,
    digits,
    period: periodSeconds,
  })
}
