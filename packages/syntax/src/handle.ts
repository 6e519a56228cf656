import { DISALLOWED_TLDS, isValidHandle } from '@atproto/syntax'

import { InvalidHandleError } from './errors.ts'

/** A domain name that names an account, in lower case once parsed (SPEC ID-13). */
export type Handle = string & { readonly __brand?: 'Handle' }

/** What is shown for an account whose handle does not resolve to it (SPEC ID-14). */
export const invalidHandle: Handle = 'handle.invalid'

/** Tells whether the text has the syntax of a handle, in any case. */
export function isHandle(text: string): text is Handle {
  return isValidHandle(text)
}

/** Returns the handle in lower case, or undefined if the text is none. */
export function tryParseHandle(text: string): Handle | undefined {
  return isHandle(text) ? text.toLowerCase() : undefined
}

/**
 * Returns the handle in lower case: the only form that is stored, compared or signed.
 *
 * @throws {InvalidHandleError} if the text is none.
 * @example
 * parseHandle('Alice.Example.com') // 'alice.example.com'
 */
export function parseHandle(text: string): Handle {
  const handle = tryParseHandle(text)
  if (handle === undefined) throw new InvalidHandleError('Input/handle must be a valid handle')
  return handle
}

/**
 * Tells whether a handle of this top-level domain may be registered and resolved: the reserved ones are valid
 * syntax but name nobody (SPEC ID-14).
 *
 * @param options.allowTest `.test` names accounts of development and test clusters only.
 */
export function isHandleTldAllowed(handle: Handle, options: { allowTest: boolean }): boolean {
  const name = handle.toLowerCase()
  if (name.endsWith('.test')) return options.allowTest
  return !DISALLOWED_TLDS.some((tld) => name.endsWith(tld))
}
