import { DomainError } from '@rookery/std'

/** Is thrown for a DID that nothing is known of, or of a method that atproto does not have. */
export class DidNotFoundError extends DomainError {
  override readonly name = 'DidNotFoundError'
  readonly code = 'DidNotFound'
}

/** Is thrown for a DID that was tombstoned. */
export class DidDeactivatedError extends DomainError {
  override readonly name = 'DidDeactivatedError'
  readonly code = 'DidDeactivated'
}

/** Is thrown for a handle that names nobody. */
export class HandleNotFoundError extends DomainError {
  override readonly name = 'HandleNotFoundError'
  readonly code = 'HandleNotFound'

  constructor(message = 'Unable to resolve handle') {
    super(message)
  }
}

/** Is thrown when the server that would know a DID does not answer. */
export class DidUnreachableError extends DomainError {
  override readonly name = 'DidUnreachableError'
  readonly code = 'DidUnreachable'
}

/** Is thrown when the PLC directory refuses an operation; the message is its own. */
export class PlcRefusedError extends DomainError {
  override readonly name = 'PlcRefusedError'
  readonly code = 'PlcRefused'
  /** HTTP status of the directory's answer. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Is thrown when the PLC directory does not answer, or fails. */
export class PlcUnavailableError extends DomainError {
  override readonly name = 'PlcUnavailableError'
  readonly code = 'PlcUnavailable'
}

/** Is thrown for an operation that would take the account out of our hands, or a DID document that is not as needed. */
export class IncompatibleDidDocError extends DomainError {
  override readonly name = 'IncompatibleDidDocError'
  readonly code = 'IncompatibleDidDoc'
}

/** Is thrown for a wrapped key that was wrapped for something else, altered, or under a key that is not here. */
export class UnwrapFailedError extends DomainError {
  override readonly name = 'UnwrapFailedError'
  readonly code = 'UnwrapFailed'
}

/** Is thrown when an account has no signing key here. */
export class SigningKeyNotFoundError extends DomainError {
  override readonly name = 'SigningKeyNotFoundError'
  readonly code = 'SigningKeyNotFound'
}

/** Is thrown when a signature that was just made does not verify: the machine can't be trusted with keys. */
export class FaultySignatureError extends DomainError {
  override readonly name = 'FaultySignatureError'
  readonly code = 'FaultySignature'
}

/** Is thrown when too many signing keys are reserved. */
export class TooManyReservedKeysError extends DomainError {
  override readonly name = 'TooManyReservedKeysError'
  readonly code = 'TooManyReservedKeys'
}

/** Why a service token was refused, by the names that the reference uses (SPEC SA-4). */
export type ServiceTokenProblem =
  | 'BadJwt'
  | 'BadJwtType'
  | 'JwtExpired'
  | 'BadJwtAudience'
  | 'BadJwtLexiconMethod'
  | 'BadJwtIss'
  | 'BadJwtSignature'
  | 'UntrustedIss'

/** Is thrown for a service token that does not prove what it should. */
export class InvalidServiceTokenError extends DomainError {
  override readonly name = 'InvalidServiceTokenError'
  readonly code = 'InvalidServiceToken'
  readonly problem: ServiceTokenProblem

  constructor(problem: ServiceTokenProblem, message: string, options?: ErrorOptions) {
    super(message, options)
    this.problem = problem
  }
}
