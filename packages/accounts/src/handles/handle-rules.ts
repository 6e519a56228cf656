import { type Handle, InvalidHandleError, isHandleTldAllowed } from '@rookery/syntax'

import { HandleNotAvailableError } from '../errors.ts'
import { handleLabelLengthMax, handleLabelLengthMin } from '../limits.ts'
import { reservedLabels } from './reserved-labels.ts'

/**
 * Returns if a handle under the domain (`.example.com`) may be given out: one label of 3 to 18 characters, not
 * reserved.
 *
 * @throws {InvalidHandleError} if the label is too short, too long, or more than one.
 * @throws {HandleNotAvailableError} if the label is reserved.
 */
export function assertHandleUnderDomain(handle: Handle, domain: string): void {
  const label = handle.slice(0, -domain.length)
  if (label.includes('.')) throw new InvalidHandleError('Invalid characters in handle')
  if (label.length < handleLabelLengthMin) throw new InvalidHandleError('Handle too short')
  if (label.length > handleLabelLengthMax) throw new InvalidHandleError('Handle too long')
  if (reservedLabels.has(label)) throw new HandleNotAvailableError('Reserved handle')
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
