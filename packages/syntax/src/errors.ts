import { DomainError } from '@rookery/std'

/** What an identifier was expected to be. */
export type IdentifierKind =
  | 'at-identifier'
  | 'at-uri'
  | 'datetime'
  | 'did'
  | 'language'
  | 'nsid'
  | 'record key'
  | 'uri'

/** Is thrown for a string that does not have the syntax it should have. */
export class InvalidIdentifierError extends DomainError {
  override readonly name = 'InvalidIdentifierError'
  readonly code = 'InvalidIdentifier'
  readonly kind: IdentifierKind

  constructor(kind: IdentifierKind, text: string) {
    super(`not a valid ${kind}: ${text.slice(0, 100)}`)
    this.kind = kind
  }
}

/** Is thrown for a string that is no handle, or a handle that may not be used. */
export class InvalidHandleError extends DomainError {
  override readonly name = 'InvalidHandleError'
  readonly code = 'InvalidHandle'
}

/** Is thrown for a value that the atproto data model does not have (SPEC DM-1…12). */
export class InvalidDataError extends DomainError {
  override readonly name = 'InvalidDataError'
  readonly code = 'InvalidData'
}

/** Is thrown for bytes that are not one canonical DAG-CBOR value (SPEC DM-1). */
export class InvalidCborError extends DomainError {
  override readonly name = 'InvalidCborError'
  readonly code = 'InvalidCbor'
}
