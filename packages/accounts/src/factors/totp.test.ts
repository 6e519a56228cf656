import { totpCode } from '@rookery/testkit'
import { describe, expect, test } from 'vitest'

import { describeTotp, findTotpStep, isTotpCode, newTotpSecret } from './totp.ts'

/** RFC 6238, appendix B: seconds since 1970, and the last six digits of the code. */
const vectors = [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
] as const
const secret = Buffer.from('12345678901234567890')

describe('findTotpStep', () => {
  test.each(vectors)('knows the code of RFC 6238 at %i s', (seconds, code) => {
    expect(totpCode(secret, seconds * 1_000)).toBe(code)
    expect(findTotpStep(secret, code, seconds * 1_000)).toBe(Math.floor(seconds / 30))
  })

  test('takes the codes of the step before and after, and no others', () => {
    const now = 1_800_000_000_000
    const found = [-2, -1, 0, 1, 2].map((step) =>
      findTotpStep(secret, totpCode(secret, now + step * 30_000), now),
    )
    const step = now / 30_000
    expect(found).toEqual([undefined, step - 1, step, step + 1, undefined])
  })

  test('knows no code of another secret', () => {
    const now = 1_800_000_000_000
    expect(findTotpStep(newTotpSecret(), totpCode(secret, now), now)).toBeUndefined()
  })
})

test('an authenticator app is given the secret, the issuer and the account', () => {
  const { text, uri } = describeTotp(secret, { issuer: 'Nest & Co', label: 'alice.example' })
  expect(text).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
  const { protocol, pathname, searchParams } = new URL(uri)
  expect(protocol).toBe('otpauth:')
  expect(decodeURIComponent(pathname)).toContain('Nest & Co:alice.example')
  expect(searchParams.get('secret')).toBe(text)
  expect(searchParams.get('issuer')).toBe('Nest & Co')
})

test('a code has six digits', () => {
  expect(['123456', '000000'].every(isTotpCode)).toBe(true)
  expect(['12345', '1234567', '12345a', '１２３４５６', ''].some(isTotpCode)).toBe(false)
})
