import { DomainError } from '@rookery/std'

/** Is thrown when an account has an export already: one at a time. */
export class ExportExistsError extends DomainError {
  override readonly name = 'ExportExistsError'
  readonly code = 'ExportExists'
}

/** Is thrown when there is no export to be had: none was asked for, it is not ready, or its time is over. */
export class ExportNotFoundError extends DomainError {
  override readonly name = 'ExportNotFoundError'
  readonly code = 'ExportNotFound'
}

/** Is thrown when an account has more than one archive can hold. */
export class ArchiveTooLargeError extends DomainError {
  override readonly name = 'ArchiveTooLargeError'
  readonly code = 'ArchiveTooLarge'
}

/** Is thrown when something is no archive of ours, or a damaged one. */
export class InvalidArchiveError extends DomainError {
  override readonly name = 'InvalidArchiveError'
  readonly code = 'InvalidArchive'
}
