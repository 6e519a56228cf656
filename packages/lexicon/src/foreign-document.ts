import type { LexiconDocument } from './definition.ts'
import { parseDocument } from './document.ts'
import { InvalidLexiconError } from './errors.ts'
import {
  foreignAcceptMax,
  foreignDocumentDepthMax,
  foreignDocumentValuesMax,
  foreignGraphemesMax,
} from './limits.ts'

/**
 * Returns a value that anybody may have written as a lexicon document. Besides being one, it is so bounded that
 * compiling it, and checking a record with it, takes no longer than with a bundled one.
 *
 * @throws {InvalidLexiconError} if it is none, or past one of the limits.
 * @example
 * const document = parseForeignDocument(decodeDataObject(block))
 */
export function parseForeignDocument(value: unknown): LexiconDocument {
  checkShape(value)
  return parseDocument(value)
}

type Part = { value: unknown; key: string; depth: number }

/** Walks without recursion: the depth is not known to be bounded yet. */
function checkShape(document: unknown): void {
  const open: Part[] = [{ value: document, key: '', depth: 0 }]
  let values = 0
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const { value, key, depth } = part
    if (++values > foreignDocumentValuesMax) refuse(`more than ${foreignDocumentValuesMax} values`)
    if (depth > foreignDocumentDepthMax) refuse(`nested deeper than ${foreignDocumentDepthMax} levels`)
    if (key.endsWith('Graphemes') && Number(value) > foreignGraphemesMax) {
      refuse(`a bound of more than ${foreignGraphemesMax} graphemes`)
    }
    if (typeof value !== 'object' || value === null) continue
    const isLongAccept = key === 'accept' && Array.isArray(value) && value.length > foreignAcceptMax
    if (isLongAccept) refuse(`a blob of more than ${foreignAcceptMax} media types`)
    for (const [name, inner] of Object.entries(value))
      open.push({ value: inner, key: name, depth: depth + 1 })
  }
}

function refuse(reason: string): never {
  throw new InvalidLexiconError(`not a lexicon to be trusted: ${reason}`)
}
