import { DomainError } from '@rookery/std'

/** Is thrown for a mail job whose template this version does not have. */
export class UnknownTemplateError extends DomainError {
  override readonly name = 'UnknownTemplateError'
  readonly code = 'UnknownTemplate'
}
