import {
  isDatetimeString,
  isValidDid,
  isValidNsid,
  isValidRecordKey,
  parseLanguageString,
} from '@atproto/syntax'

import { InvalidIdentifierError } from './errors.ts'
import { type Handle, isHandle } from './handle.ts'
import { cidCharsMax, uriCharsMax } from './limits.ts'

/** A decentralised identifier, any method (SPEC ID-11). Case-sensitive. */
export type Did = string & { readonly __brand?: 'Did' }

/** A namespaced identifier: a collection, a method, a lexicon (SPEC ID-5). */
export type Nsid = string & { readonly __brand?: 'Nsid' }

/** The last segment of a record's path (SPEC ID-8). Case-sensitive. */
export type RecordKey = string & { readonly __brand?: 'RecordKey' }

/** A DID or a handle. */
export type AtIdentifier = Did | Handle

/** An instant as its writer wrote it: never re-serialised (SPEC ID-16). */
export type Datetime = string & { readonly __brand?: 'Datetime' }

/** Tells whether the text is a DID. */
export function isDid(text: string): text is Did {
  return isValidDid(text)
}

/** Returns the DID, or undefined if the text is none. */
export function tryParseDid(text: string): Did | undefined {
  return isDid(text) ? text : undefined
}

/**
 * Returns the DID.
 *
 * @throws {InvalidIdentifierError} if the text is none.
 * @example
 * const did = parseDid('did:web:example.com')
 */
export function parseDid(text: string): Did {
  if (!isDid(text)) throw new InvalidIdentifierError('did', text)
  return text
}

/** Tells whether the text is an NSID. */
export function isNsid(text: string): text is Nsid {
  return isValidNsid(text)
}

/** Returns the NSID, or undefined if the text is none. */
export function tryParseNsid(text: string): Nsid | undefined {
  return isNsid(text) ? text : undefined
}

/**
 * Returns the NSID as it was written: its name is case-sensitive (SPEC ID-6).
 *
 * @throws {InvalidIdentifierError} if the text is none.
 */
export function parseNsid(text: string): Nsid {
  if (!isNsid(text)) throw new InvalidIdentifierError('nsid', text)
  return text
}

/**
 * Returns the domain that controls an NSID, in lower case.
 *
 * @example
 * nsidAuthority('app.bsky.feed.post') // 'feed.bsky.app'
 */
export function nsidAuthority(nsid: Nsid): string {
  return nsid.split('.').slice(0, -1).toReversed().join('.').toLowerCase()
}

/** Tells whether the text is a record key. */
export function isRecordKey(text: string): text is RecordKey {
  return isValidRecordKey(text)
}

/** Returns the record key, or undefined if the text is none. */
export function tryParseRecordKey(text: string): RecordKey | undefined {
  return isRecordKey(text) ? text : undefined
}

/**
 * Returns the record key.
 *
 * @throws {InvalidIdentifierError} if the text is none.
 */
export function parseRecordKey(text: string): RecordKey {
  if (!isRecordKey(text)) throw new InvalidIdentifierError('record key', text)
  return text
}

/** Tells whether the text is a DID or a handle. */
export function isAtIdentifier(text: string): text is AtIdentifier {
  return text.startsWith('did:') ? isDid(text) : isHandle(text)
}

/** Returns the DID or handle, or undefined if the text is neither. */
export function tryParseAtIdentifier(text: string): AtIdentifier | undefined {
  return isAtIdentifier(text) ? text : undefined
}

/**
 * Returns the DID or handle, as it was written.
 *
 * @throws {InvalidIdentifierError} if the text is neither.
 */
export function parseAtIdentifier(text: string): AtIdentifier {
  if (!isAtIdentifier(text)) throw new InvalidIdentifierError('at-identifier', text)
  return text
}

/** Tells whether the text is a datetime that names a real instant (SPEC ID-16). */
export function isDatetime(text: string): text is Datetime {
  return isDatetimeString(text)
}

/** Returns the datetime, or undefined if the text is none. */
export function tryParseDatetime(text: string): Datetime | undefined {
  return isDatetime(text) ? text : undefined
}

/**
 * Returns the datetime, as it was written.
 *
 * @throws {InvalidIdentifierError} if the text is none.
 */
export function parseDatetime(text: string): Datetime {
  if (!isDatetime(text)) throw new InvalidIdentifierError('datetime', text)
  return text
}

/** Nearly every tag: two letters are one whatever they are. */
const bareLanguagePattern = /^[a-z]{2}$/

/** Tells whether the text is a well-formed language tag (BCP 47), its primary subtag in lower case. */
export function isLanguage(text: string): boolean {
  return bareLanguagePattern.test(text) || parseLanguageString(text) !== null
}

const uriPattern = /^[a-zA-Z][a-zA-Z0-9+.-]*:[!-~\u0080-\uffff]+$/

/** Tells whether the text is a URI of any scheme (SPEC ID-17). */
export function isUri(text: string): boolean {
  return text.length <= uriCharsMax && uriPattern.test(text)
}

const cidStringPattern = /^[a-zA-Z0-9+=]{8,256}$/

/**
 * Tells whether the text has the syntax of a version 1 CID in any base; nothing is decoded. What this program takes in
 * is narrower: `isBase32Cid`, `tryParseCid`.
 */
export function isCidString(text: string): boolean {
  return text.length <= cidCharsMax && cidStringPattern.test(text) && !text.startsWith('Qmb')
}
