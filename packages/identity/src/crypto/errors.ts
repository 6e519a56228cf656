import { DomainError } from '@rookery/std'

/** Is thrown for a key that is malformed, off its curve, or of a curve that atproto does not have. */
export class InvalidKeyError extends DomainError {
  override readonly name = 'InvalidKeyError'
  readonly code = 'InvalidKey'
}
