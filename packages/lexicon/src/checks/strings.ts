import {
  isAtIdentifier,
  isAtUri,
  isBase32Cid,
  isDatetime,
  isDid,
  isHandle,
  isLanguage,
  isNsid,
  isRecordKey,
  isTid,
  isUri,
} from '@rookery/syntax'

import type { StringDefinition } from '../definition.ts'
import { type Check, type Issue, issue, oneOf } from './issue.ts'

type Format = { is: (text: string) => boolean; reason: string }

/** The formats of SPEC LEX-6, with the words that clients know. */
const formats: Readonly<Record<string, Format>> = {
  'at-identifier': { is: isAtIdentifier, reason: 'must be a valid did or a handle' },
  'at-uri': { is: isAtUri, reason: 'must be a valid at-uri' },
  cid: { is: isBase32Cid, reason: 'must be a cid string' },
  datetime: { is: isDatetime, reason: 'must be an valid atproto datetime (both RFC-3339 and ISO-8601)' },
  did: { is: isDid, reason: 'must be a valid did' },
  handle: { is: isHandle, reason: 'must be a valid handle' },
  language: { is: isLanguage, reason: 'must be a well-formed BCP 47 language tag' },
  nsid: { is: isNsid, reason: 'must be a valid nsid' },
  'record-key': { is: isRecordKey, reason: 'must be a valid Record Key' },
  tid: { is: isTid, reason: 'must be a valid TID' },
  uri: { is: isUri, reason: 'must be a uri' },
}

/** Names of the formats that a text can have. */
export const stringFormats: readonly string[] = Object.keys(formats)

/** Returns the check of a string definition. */
export function compileString(definition: StringDefinition): Check {
  const { const: only } = definition
  const allowed = definition.enum && new Set(definition.enum)
  const format = definition.format === undefined ? undefined : formats[definition.format]
  const hasLength = definition.minLength !== undefined || definition.maxLength !== undefined
  const hasGraphemes = definition.minGraphemes !== undefined || definition.maxGraphemes !== undefined
  return (value) => {
    if (typeof value !== 'string') return issue('must be a string')
    if (only !== undefined && value !== only) return issue(`must be ${only}`)
    if (allowed !== undefined && !allowed.has(value)) return issue(oneOf(allowed))
    const found =
      (hasLength && issueOfLength(value, definition)) || (hasGraphemes && issueOfGraphemes(value, definition))
    if (found) return found
    return format === undefined || format.is(value) ? undefined : issue(format.reason)
  }
}

/** Lengths count bytes of UTF-8 (SPEC LEX-3); a UTF-16 unit is one to three of them. */
function issueOfLength(
  text: string,
  { minLength = 0, maxLength = Infinity }: StringDefinition,
): Issue | undefined {
  if (text.length >= minLength && text.length * 3 <= maxLength) return undefined
  const bytes = Buffer.byteLength(text)
  if (bytes > maxLength) return issue(`must not be longer than ${maxLength} characters`)
  return bytes < minLength ? issue(`must not be shorter than ${minLength} characters`) : undefined
}

function issueOfGraphemes(
  text: string,
  { minGraphemes = 0, maxGraphemes = Infinity }: StringDefinition,
): Issue | undefined {
  // A grapheme is at least one UTF-16 unit.
  if (text.length < minGraphemes) return issue(`must not be shorter than ${minGraphemes} graphemes`)
  if (minGraphemes === 0 && text.length <= maxGraphemes) return undefined
  const count = countGraphemes(text, Math.max(minGraphemes, maxGraphemes === Infinity ? 0 : maxGraphemes + 1))
  if (count > maxGraphemes) return issue(`must not be longer than ${maxGraphemes} graphemes`)
  return count < minGraphemes ? issue(`must not be shorter than ${minGraphemes} graphemes`) : undefined
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
/** ASCII without CR, which would join the LF after it: every character is a grapheme. */
const plainAscii = /^[^\r\u0080-\uffff]*$/

/** Returns the number of graphemes, or `enough` as soon as there are as many: segmenting is slow. */
function countGraphemes(text: string, enough: number): number {
  if (plainAscii.test(text)) return text.length
  let count = 0
  const segments = segmenter.segment(text)[Symbol.iterator]()
  while (count < enough && segments.next().done !== true) count++
  return count
}
