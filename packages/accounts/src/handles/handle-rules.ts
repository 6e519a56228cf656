import { type Handle, InvalidHandleError, isHandleTldAllowed } from '@rookery/syntax'

import { HandleNotAvailableError } from '../errors.ts'
import { handleLabelLengthMax, handleLabelLengthMin } from '../limits.ts'
import { isOffensive } from './offensive-words.ts'
import { reservedLabels } from './reserved-labels.ts'
import { reservedNames } from './reserved-names.ts'

/** What a tenant adds to the rules of its accounts' handles. */
export type HandleRules = { reservedHandles: readonly string[]; offensiveWords: readonly string[] }

/**
 * Returns if a handle under the domain (`.example.com`) may be given out: one label of 3 to 18 characters, not
 * reserved and not offensive.
 *
 * @throws {InvalidHandleError} if the label is too short, too long, offensive, or more than one.
 * @throws {HandleNotAvailableError} if the label is reserved.
 */
export function assertHandleUnderDomain(handle: Handle, domain: string, rules: HandleRules): void {
  const label = handle.slice(0, -domain.length)
  if (label.includes('.')) throw new InvalidHandleError('Invalid characters in handle')
  if (label.length < handleLabelLengthMin) throw new InvalidHandleError('Handle too short')
  if (label.length > handleLabelLengthMax) throw new InvalidHandleError('Handle too long')
  assertDecentHandle(label, rules)
  if (reservedLabels.has(label) || reservedNames.has(label) || rules.reservedHandles.includes(label)) {
    throw new HandleNotAvailableError('Reserved handle')
  }
}

/**
 * Returns if no label of the handle is offensive.
 *
 * @throws {InvalidHandleError} if one is.
 */
export function assertDecentHandle(handle: Handle, { offensiveWords }: HandleRules): void {
  if (handle.split('.').some((label) => isOffensive(label, offensiveWords))) {
    throw new InvalidHandleError('Inappropriate language in handle')
  }
}

/**
 * Returns if a handle under no handle domain of ours can be on the public DNS (SPEC §20 #14).
 *
 * @param options.allowTest takes `.test`, for local stacks.
 * @throws {InvalidHandleError} if it cannot.
 */
export function assertCustomHandle(handle: Handle, options: { allowTest: boolean }): void {
  if (!isHandleTldAllowed(handle, options))
    throw new InvalidHandleError('Handle TLD is invalid or disallowed')
}
