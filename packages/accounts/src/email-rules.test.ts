import { describe, expect, test } from 'vitest'

import { parseEmail, parseOwnEmail } from './email-rules.ts'
import { InvalidEmailError } from './errors.ts'
import { emailLengthMax } from './limits.ts'

describe('parseEmail', () => {
  test.each([
    ['Alice@Example.com', 'alice@example.com'],
    [' bob+tag@mail.example.co ', 'bob+tag@mail.example.co'],
    ["o'neil@example.test", "o'neil@example.test"],
  ])('takes %s', (text, email) => expect(parseEmail(text)).toBe(email))

  test.each([
    '',
    'alice',
    'alice@',
    '@example.com',
    'a b@example.com',
    'a@b',
    'a..b@example.com',
    'a@-x.com',
    'a@x.com\nb',
  ])('refuses %j', (text) => expect(() => parseEmail(text)).toThrow(InvalidEmailError))

  test('takes emailLengthMax characters and no more', () => {
    const label = 'd'.repeat(63)
    const rest = `@${label}.${label}.${label}.com`
    const longest = `${'a'.repeat(emailLengthMax - rest.length)}${rest}`
    expect(parseEmail(longest)).toHaveLength(emailLengthMax)
    expect(() => parseEmail(`a${longest}`)).toThrow(InvalidEmailError)
  })
})

test('an address to throw away is nobody’s own, in any case; the operator may give it', () => {
  expect(() => parseOwnEmail('alice@DisposeAMail.com')).toThrow(InvalidEmailError)
  expect(parseEmail('alice@disposeamail.com')).toBe('alice@disposeamail.com')
  expect(parseOwnEmail('Alice@Example.com')).toBe('alice@example.com')
})
