import { DomainError } from '@rookery/std'

/** Is thrown when a client's `swapCommit` or `swapRecord` does not name what is there (SPEC WR-3). */
export class InvalidSwapError extends DomainError {
  override readonly name = 'InvalidSwapError'
  readonly code = 'InvalidSwap'
}

/** Is thrown when the session that writes was ended, though its access token is in time. */
export class SessionOverError extends DomainError {
  override readonly name = 'SessionOverError'
  readonly code = 'SessionOver'
}

/** Is thrown for a batch that can't be one commit: too many operations or too many bytes (SPEC WR-1). */
export class CommitTooLargeError extends DomainError {
  override readonly name = 'CommitTooLargeError'
  readonly code = 'CommitTooLarge'
}

/** Is thrown when more writes wait than the process or one repo may queue: come back shortly. */
export class WritesOverloadedError extends DomainError {
  override readonly name = 'WritesOverloadedError'
  readonly code = 'WritesOverloaded'
}

/** Is thrown when more exports or reads of blocks wait than the process may queue: come back shortly. */
export class ExportsOverloadedError extends DomainError {
  override readonly name = 'ExportsOverloadedError'
  readonly code = 'ExportsOverloaded'
}

/** Is thrown by an export that its client, or anything else, has kept open for too long. */
export class ExportTimeoutError extends DomainError {
  override readonly name = 'ExportTimeoutError'
  readonly code = 'ExportTimeout'
}

/** Is thrown when the host has no such repo. */
export class RepoNotFoundError extends DomainError {
  override readonly name = 'RepoNotFoundError'
  readonly code = 'RepoNotFound'
}

/** Is thrown when the repo is taken down. */
export class RepoTakendownError extends DomainError {
  override readonly name = 'RepoTakendownError'
  readonly code = 'RepoTakendown'
}

/** Is thrown when the repo is suspended. */
export class RepoSuspendedError extends DomainError {
  override readonly name = 'RepoSuspendedError'
  readonly code = 'RepoSuspended'
}

/** Is thrown when the repo is deactivated. */
export class RepoDeactivatedError extends DomainError {
  override readonly name = 'RepoDeactivatedError'
  readonly code = 'RepoDeactivated'
}

/** Is thrown when there is no such record, or it is taken down. */
export class RecordNotFoundError extends DomainError {
  override readonly name = 'RecordNotFoundError'
  readonly code = 'RecordNotFound'
}

/** Is thrown when the repo does not have one of the blocks asked for. */
export class BlockNotFoundError extends DomainError {
  override readonly name = 'BlockNotFoundError'
  readonly code = 'BlockNotFound'
}

/** Is thrown when more blocks are asked for than are answered at once. */
export class BlocksTooLargeError extends DomainError {
  override readonly name = 'BlocksTooLargeError'
  readonly code = 'BlocksTooLarge'
}

/** Is thrown for a repo that can't be imported: the message says why. */
export class InvalidImportError extends DomainError {
  override readonly name = 'InvalidImportError'
  readonly code = 'InvalidImport'
}

/** Is thrown when an uploaded repo is larger than the host takes. */
export class ImportTooLargeError extends DomainError {
  override readonly name = 'ImportTooLargeError'
  readonly code = 'ImportTooLarge'
}

/** Is thrown when the upload of a repo does not end as it should: it breaks off, or takes too long. */
export class ImportAbortedError extends DomainError {
  override readonly name = 'ImportAbortedError'
  readonly code = 'ImportAborted'
}

/** Is thrown for a cursor that no earlier page gave. */
export class InvalidCursorError extends DomainError {
  override readonly name = 'InvalidCursorError'
  readonly code = 'InvalidCursor'
}
