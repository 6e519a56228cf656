import { DomainError } from '@rookery/std'
import { type Cid, cidToString } from '@rookery/syntax'

/** Is thrown for a tree node, or a node's place in its tree, that breaks SPEC MST-1…10. */
export class InvalidNodeError extends DomainError {
  override readonly name = 'InvalidNodeError'
  readonly code = 'InvalidRepoNode'
}

/** Is thrown for a block that is no commit of version 2 or 3 in canonical form (SPEC REP-1, REP-5). */
export class InvalidCommitError extends DomainError {
  override readonly name = 'InvalidCommitError'
  readonly code = 'InvalidRepoCommit'
}

/** Is thrown for bytes that are no CAR of version 1, are cut short, or hold a block that is not what its CID says. */
export class InvalidCarError extends DomainError {
  override readonly name = 'InvalidCarError'
  readonly code = 'InvalidCar'
}

/** Is thrown when input is larger than a named limit; `limit` is the limit's name in `limits.ts`. */
export class RepoLimitError extends DomainError {
  override readonly name = 'RepoLimitError'
  readonly code = 'RepoLimitExceeded'
  readonly limit: string
  readonly max: number

  constructor(limit: string, max: number) {
    super(`the repo data exceeds ${limit} (${max})`)
    this.limit = limit
    this.max = max
  }
}

/** Is thrown when a block that is needed is in neither the store nor the CAR. */
export class MissingBlockError extends DomainError {
  override readonly name = 'MissingBlockError'
  readonly code = 'RepoBlockMissing'
  readonly cid: Cid

  constructor(cid: Cid) {
    super(`a block of the repo is missing: ${cidToString(cid)}`)
    this.cid = cid
  }
}

/** Is thrown for a path that is not `collection/rkey` in the characters that a repo allows, or is too long. */
export class InvalidPathError extends DomainError {
  override readonly name = 'InvalidPathError'
  readonly code = 'InvalidRecordPath'
}

/** Is thrown when a record is to be created at a path that has one. */
export class RecordExistsError extends DomainError {
  override readonly name = 'RecordExistsError'
  readonly code = 'RecordExists'
  readonly path: string

  constructor(path: string) {
    super(`there is already a record at ${path}`)
    this.path = path
  }
}

/** Is thrown when a record is to be updated or deleted at a path that has none. */
export class RecordMissingError extends DomainError {
  override readonly name = 'RecordMissingError'
  readonly code = 'RecordMissing'
  readonly path: string

  constructor(path: string) {
    super(`there is no record at ${path}`)
    this.path = path
  }
}

/** Is thrown when one commit holds two operations on the same path (SPEC WR-2). */
export class DuplicatePathError extends DomainError {
  override readonly name = 'DuplicatePathError'
  readonly code = 'DuplicateRecordPath'
  readonly path: string

  constructor(path: string) {
    super(`the commit has more than one operation on ${path}`)
    this.path = path
  }
}

/** Is thrown when a slice's operations do not describe the step to its tree: it would be refused downstream. */
export class InversionError extends DomainError {
  override readonly name = 'InversionError'
  readonly code = 'RepoInversionFailed'
}
