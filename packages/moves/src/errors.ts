import { DomainError } from '@rookery/std'

/** Is thrown when the server that an account moves away from refuses what it is asked, in its own words. */
export class OldServerRefusedError extends DomainError {
  override readonly name = 'OldServerRefusedError'
  readonly code = 'OldServerRefused'
  /** The name that it gave the error. */
  readonly reason: string
  /** What it says of it, in whatever language. */
  readonly said: string

  constructor(reason: string, said: string, options?: ErrorOptions) {
    super(`The old server says: ${said}`, options)
    this.reason = reason
    this.said = said
  }
}

/** Is thrown when that server does not answer, or not as a server of the protocol does. */
export class OldServerUnreachableError extends DomainError {
  override readonly name = 'OldServerUnreachableError'
  readonly code = 'OldServerUnreachable'
}

/** Is thrown when the account is not moving here, or the session with its old server is over. */
export class MoveNotFoundError extends DomainError {
  override readonly name = 'MoveNotFoundError'
  readonly code = 'MoveNotFound'
}
