import { DomainError } from '@rookery/std'

import { unavailableRetryAfterMs } from './limits.ts'

/** Is thrown when the object store cannot be reached, refuses us or does not answer in time: try again later. */
export class BlobStoreUnavailableError extends DomainError {
  override readonly name = 'BlobStoreUnavailableError'
  readonly code = 'BlobStoreUnavailable'
  /** When a caller may try again, in milliseconds from now. */
  readonly retryAfterMs = unavailableRetryAfterMs
}

/** Is thrown when no object has the key. */
export class BlobObjectNotFoundError extends DomainError {
  override readonly name = 'BlobObjectNotFoundError'
  readonly code = 'BlobObjectNotFound'
  readonly key: string

  constructor(key: string, options?: ErrorOptions) {
    super(`no object at ${key}`, options)
    this.key = key
  }
}

/** Is thrown when a range starts at or after the end of its object. */
export class BlobRangeError extends DomainError {
  override readonly name = 'BlobRangeError'
  readonly code = 'BlobRangeNotSatisfiable'
}

/** Is thrown when a process starts with settings that name no usable store. */
export class InvalidBlobSettingsError extends DomainError {
  override readonly name = 'InvalidBlobSettingsError'
  readonly code = 'InvalidBlobSettings'
}
