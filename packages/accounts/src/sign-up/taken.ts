import { DidNotAvailableError, EmailNotAvailableError, HandleNotAvailableError } from '../errors.ts'

const uniqueViolation = '23505'

/** Returns the typed error for a name that is taken, or undefined if none is. */
export function takenError(
  taken: { did?: boolean; handle?: boolean; email?: boolean },
  handle: string,
): Error | undefined {
  if (taken.did === true) return new DidNotAvailableError('The host already has an account of this DID')
  if (taken.handle === true) return new HandleNotAvailableError(`Handle already taken: ${handle}`)
  if (taken.email === true)
    return new EmailNotAvailableError('This email address is already in use, please use a different email.')
  return undefined
}

/** Returns the typed error for an account row that PostgreSQL refused as a duplicate; any other error as it is. */
export function toTakenError(error: unknown, handle: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== uniqueViolation) return error
  const constraint = 'constraint' in error ? error.constraint : undefined
  const taken = {
    did: constraint === 'account_did',
    handle: constraint === 'account_handle',
    email: constraint === 'account_email',
  }
  return takenError(taken, handle) ?? error
}
