import { disposableEmailBlocklistSet } from 'disposable-email-domains-js'

import { InvalidEmailError } from './errors.ts'
import { emailLengthMax } from './limits.ts'

// Dot-atom at domain: what mail servers route in practice. Quoted local parts and address literals are refused.
const emailPattern =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/
const localPartLengthMax = 64

/**
 * Returns the address in lower case, the form in which addresses are unique on a host.
 *
 * @throws {InvalidEmailError} if it is no e-mail address.
 */
export function parseEmail(text: string): string {
  const email = text.trim().toLowerCase()
  if (email.length > emailLengthMax || email.indexOf('@') > localPartLengthMax || !emailPattern.test(email)) {
    throw unsupported()
  }
  return email
}

/**
 * Returns the address that somebody gives as their own, as `parseEmail` does. The operator may give any.
 *
 * @throws {InvalidEmailError} if it is no e-mail address, or of a service that hands out addresses to throw away.
 */
export function parseOwnEmail(text: string): string {
  const email = parseEmail(text)
  disposableDomains ??= disposableEmailBlocklistSet()
  if (disposableDomains.has(email.slice(email.indexOf('@') + 1))) throw unsupported()
  return email
}

/** Some nine thousand names, read when the first address is judged. */
let disposableDomains: ReadonlySet<string> | undefined

function unsupported(): InvalidEmailError {
  return new InvalidEmailError('This email address is not supported, please use a different email.')
}
