import { DomainError } from '@rookery/std'

/** Is thrown for a lexicon that cannot be had now: nobody publishes it, or nobody answers, or it is none. */
export class LexiconNotFoundError extends DomainError {
  override readonly name = 'LexiconNotFoundError'
  readonly code = 'LexiconNotFound'

  constructor(nsid: string, reason: string, options?: ErrorOptions) {
    super(`Lexicon not found: ${nsid.slice(0, 320)}: ${reason}`, options)
  }
}
