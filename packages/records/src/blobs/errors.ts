import { DomainError } from '@rookery/std'
import { type Cid, cidToString } from '@rookery/syntax'

/** Is thrown when an account has no such blob to refer to or to read. */
export class BlobNotFoundError extends DomainError {
  override readonly name = 'BlobNotFoundError'
  readonly code = 'BlobNotFound'

  constructor(cid: Cid, options?: ErrorOptions) {
    super(`Could not find blob: ${cidToString(cid)}`, options)
  }
}

/** Is thrown when a record gives a blob another type than it was stored with. */
export class BlobMimeTypeError extends DomainError {
  override readonly name = 'BlobMimeTypeError'
  readonly code = 'BlobInvalidMimeType'
}

/** Is thrown when a record gives a blob another size than it has. */
export class BlobSizeError extends DomainError {
  override readonly name = 'BlobSizeError'
  readonly code = 'BlobInvalidSize'
}

/** Is thrown when an upload is larger than a blob may be. */
export class BlobTooLargeError extends DomainError {
  override readonly name = 'BlobTooLargeError'
  readonly code = 'BlobTooLarge'
}

/** Is thrown when an upload ends before or after its declared length. */
export class BlobLengthError extends DomainError {
  override readonly name = 'BlobLengthError'
  readonly code = 'BlobLengthMismatch'
}

/** Is thrown when the client goes away in the middle of an upload. */
export class BlobUploadAbortedError extends DomainError {
  override readonly name = 'BlobUploadAbortedError'
  readonly code = 'BlobUploadAborted'
}

/** Is thrown when an upload takes longer than `uploadMsMax`. */
export class BlobUploadTimeoutError extends DomainError {
  override readonly name = 'BlobUploadTimeoutError'
  readonly code = 'BlobUploadTimeout'
}

/** Is thrown when someone uploads again what was taken down. */
export class BlobTakenDownError extends DomainError {
  override readonly name = 'BlobTakenDownError'
  readonly code = 'BlobTakenDown'
}

/** Is thrown when a blob is of a type that the tenant does not take. */
export class BlobTypeRefusedError extends DomainError {
  override readonly name = 'BlobTypeRefusedError'
  readonly code = 'BlobTypeRefused'
}

/** Is thrown when an upload would leave an account or its tenant with more bytes of blobs than it may have. */
export class BlobQuotaExceededError extends DomainError {
  override readonly name = 'BlobQuotaExceededError'
  readonly code = 'BlobQuotaExceeded'
  readonly of: 'account' | 'tenant'

  constructor(of: 'account' | 'tenant', options?: ErrorOptions) {
    super(`There is no room left for this file: the storage of this ${of} is full`, options)
    this.of = of
  }
}

/** Is thrown when an upload tells where it was recorded and its tenant does not take that, or it cannot be removed. */
export class BlobLocationRefusedError extends DomainError {
  override readonly name = 'BlobLocationRefusedError'
  readonly code = 'BlobLocationRefused'
}

/** Is thrown when a blob is to be restored whose bytes were deleted for good. */
export class BlobPurgedError extends DomainError {
  override readonly name = 'BlobPurgedError'
  readonly code = 'BlobPurged'

  constructor() {
    super('The blob was purged and cannot be restored')
  }
}
