import { DomainError } from '@rookery/std'

/** Is thrown for a record that breaks its collection's lexicon. */
export class InvalidRecordError extends DomainError {
  override readonly name = 'InvalidRecordError'
  readonly code = 'InvalidRecord'
}

/** Is thrown for query parameters that break a method's lexicon. */
export class InvalidParamsError extends DomainError {
  override readonly name = 'InvalidParamsError'
  readonly code = 'InvalidParams'
}

/** Is thrown for an input body that breaks a method's lexicon or the data model. */
export class InvalidInputError extends DomainError {
  override readonly name = 'InvalidInputError'
  readonly code = 'InvalidInput'
}

/** Is thrown for an output body that breaks a method's lexicon: a bug in this program. */
export class InvalidOutputError extends DomainError {
  override readonly name = 'InvalidOutputError'
  readonly code = 'InvalidOutput'
}

/** Is thrown for a document that is no lexicon. */
export class InvalidLexiconError extends DomainError {
  override readonly name = 'InvalidLexiconError'
  readonly code = 'InvalidLexicon'
}
