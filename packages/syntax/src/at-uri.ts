import { InvalidIdentifierError } from './errors.ts'
import {
  type AtIdentifier,
  type Nsid,
  type RecordKey,
  isAtIdentifier,
  isNsid,
  isRecordKey,
} from './identifiers.ts'
import { uriCharsMax } from './limits.ts'

/** `at://authority[/collection[/rkey]]` (SPEC ID-15). */
export type AtUri = string & { readonly __brand?: 'AtUri' }

/** An AT-URI taken apart. */
export type AtUriParts = {
  authority: AtIdentifier
  collection?: Nsid
  rkey?: RecordKey
}

const scheme = 'at://'

/** Tells whether the text is an AT-URI in its restricted form: no query, no fragment, no trailing slash. */
export function isAtUri(text: string): text is AtUri {
  return tryParseAtUri(text) !== undefined
}

/** Returns the parts of an AT-URI, or undefined if the text is none. */
export function tryParseAtUri(text: string): AtUriParts | undefined {
  if (text.length > uriCharsMax || !text.startsWith(scheme)) return undefined
  const [authority, collection, rkey, ...rest] = text.slice(scheme.length).split('/')
  if (authority === undefined || !isAtIdentifier(authority) || rest.length > 0) return undefined
  if (collection === undefined) return { authority }
  if (!isNsid(collection)) return undefined
  if (rkey === undefined) return { authority, collection }
  return isRecordKey(rkey) ? { authority, collection, rkey } : undefined
}

/**
 * Returns the parts of an AT-URI.
 *
 * @throws {InvalidIdentifierError} if the text is none.
 * @example
 * parseAtUri('at://did:web:example.com/app.bsky.feed.post/3jzfcijpj2z2a').rkey
 */
export function parseAtUri(text: string): AtUriParts {
  const parts = tryParseAtUri(text)
  if (!parts) throw new InvalidIdentifierError('at-uri', text)
  return parts
}

/**
 * Returns the AT-URI of a record.
 *
 * @example
 * atUri('did:web:example.com', 'app.bsky.feed.post', '3jzfcijpj2z2a')
 */
export function atUri(authority: AtIdentifier, collection: Nsid, rkey: RecordKey): AtUri {
  return `${scheme}${authority}/${collection}/${rkey}`
}
