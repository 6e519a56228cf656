import { DomainError } from '@rookery/std'

/** Is thrown for a payload that does not fit its queue or is too large. */
export class InvalidJobError extends DomainError {
  override readonly name = 'InvalidJobError'
  readonly code = 'InvalidJob'
}

/** Is thrown for a job that is not there, or not in the state that the caller needs. */
export class JobNotFoundError extends DomainError {
  override readonly name = 'JobNotFoundError'
  readonly code = 'JobNotFound'
}

/** Is thrown to who waits for a job that was given up after its last attempt. */
export class JobDeadError extends DomainError {
  override readonly name = 'JobDeadError'
  readonly code = 'JobDead'
}

/** Is thrown to who waits for a job that has not ended in the time that they gave; the job goes on. */
export class JobTimeoutError extends DomainError {
  override readonly name = 'JobTimeoutError'
  readonly code = 'JobTimeout'
}

/** Is thrown in a worker whose claim on the job went to another: what it was about to commit must not be. */
export class JobLostError extends DomainError {
  override readonly name = 'JobLostError'
  readonly code = 'JobLost'
}

/**
 * Is thrown by a processor for input that no further attempt will accept, and then to who waits for the job:
 * `reason` is a stable word that the caller can tell apart, the message is for people.
 */
export class JobRefusedError extends DomainError {
  override readonly name = 'JobRefusedError'
  readonly code = 'JobRefused'
  readonly reason: string

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
