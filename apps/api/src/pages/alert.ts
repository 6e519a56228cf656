import { XrpcError, toXrpcError } from '@rookery/http'
import { OldServerRefusedError } from '@rookery/moves'
import { DomainError } from '@rookery/std'

import type { Look } from './look.ts'
import { type Html, markup } from './markup.ts'
import { type ErrorTexts, errorTexts } from './texts/errors.ts'
import { layoutTexts } from './texts/layout.ts'

/** Is thrown when a page refuses something in words of its own, which are in the reader's language. */
export class PageRefusal extends XrpcError {
  constructor(sentence: string) {
    super(400, 'InvalidRequest', sentence)
  }
}

/** A sentence that says what went wrong; nothing without one. */
export function alertOf(message: string | Html | undefined): Html | false {
  return message !== undefined && markup`<p class="alert" role="alert">${message}</p>`
}

/**
 * Returns what an error says in the language of the page, or as it is, marked as English, if that language has no words
 * for it.
 */
export function sentenceOf(error: unknown, { locale }: Pick<Look, 'locale'>): string | Html {
  const answer = error instanceof DomainError ? toXrpcError(error) : error
  if (!(answer instanceof XrpcError) || answer.status >= 500) return layoutTexts[locale].ourFault
  const texts = errorTexts[locale]
  const code = [error instanceof DomainError ? error.code : answer.error, answer.error].find((one) =>
    isKnown(one, texts),
  )
  // In English the error itself says more.
  if (locale === 'en' || error instanceof PageRefusal) return answer.message
  // The other server's words are in a language that only it knows.
  if (error instanceof OldServerRefusedError)
    return markup`${texts.OldServerRefused} <span lang="">${error.said}</span>`
  if (code === undefined) return markup`<span lang="en">${answer.message}</span>`
  return texts[code as keyof ErrorTexts]
}

/** Returns what an error of somebody's doing says, as `sentenceOf` does; throws any other. */
export function refusalOf(error: unknown, look: Pick<Look, 'locale'>): string | Html {
  const answer = error instanceof DomainError ? toXrpcError(error) : error
  if (!(answer instanceof XrpcError) || answer.status >= 500) throw error
  return sentenceOf(error, look)
}

function isKnown(code: string, texts: ErrorTexts): boolean {
  return Object.hasOwn(texts, code)
}
