import { type Handle, tryParseHandle } from '@rookery/syntax'

import { formatDidKey, parseVerificationMethod } from '../crypto/keys.ts'

/** A DID document: JSON whose `id` is the DID; anything else in it is looked at with care. */
export type DidDocument = { id: string; [field: string]: unknown }

/** What atproto reads from a DID document (SPEC IDN-6); a field is undefined if the document has none that is valid. */
export type AtprotoData = {
  did: string
  /** As the document claims it: nothing yet says that the handle agrees. */
  handle: Handle | undefined
  /** Signing key as did:key. */
  signingKey: string | undefined
  /** Origin of the PDS. */
  pdsUrl: string | undefined
}

/** Returns the document if the JSON value is one of this DID, or undefined. */
export function toDidDocument(value: unknown, did: string): DidDocument | undefined {
  if (!isObject(value) || value['id'] !== did) return undefined
  return { ...value, id: did }
}

/** Returns what atproto reads from a DID document. */
export function atprotoData(document: DidDocument): AtprotoData {
  return {
    did: document.id,
    handle: claimedHandle(document),
    signingKey: verificationKey(document, 'atproto'),
    pdsUrl: serviceEndpoint(document, 'atproto_pds', 'AtprotoPersonalDataServer'),
  }
}

/** Returns the did:key of the document's own verification method with this fragment, or undefined. */
export function verificationKey(document: DidDocument, fragment: string): string | undefined {
  const method = entryById(document, 'verificationMethod', fragment)
  if (method === undefined || method['controller'] !== document.id) return undefined
  const { type, publicKeyMultibase } = method
  if (typeof type !== 'string' || typeof publicKeyMultibase !== 'string') return undefined
  try {
    return formatDidKey(parseVerificationMethod({ type, publicKeyMultibase }))
  } catch {
    return undefined
  }
}

/** Returns the endpoint of the document's service with this fragment and type, as an origin, or undefined. */
export function serviceEndpoint(document: DidDocument, fragment: string, type?: string): string | undefined {
  const service = entryById(document, 'service', fragment)
  if (service === undefined || (type !== undefined && service['type'] !== type)) return undefined
  const endpoint = service['serviceEndpoint']
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return undefined
  const url = new URL(endpoint)
  const isOrigin = (url.pathname === '/' || url.pathname === '') && url.search === '' && url.username === ''
  return isOrigin && /^https?:$/.test(url.protocol) ? url.origin : undefined
}

/** The first `at://` alias decides, even if it is no handle. */
function claimedHandle(document: DidDocument): Handle | undefined {
  const aliases = document['alsoKnownAs']
  if (!Array.isArray(aliases)) return undefined
  const alias = aliases.find(
    (entry): entry is string => typeof entry === 'string' && entry.startsWith('at://'),
  )
  return alias === undefined ? undefined : tryParseHandle(alias.slice('at://'.length))
}

/** The first entry counts; its id may be relative to the DID. */
function entryById(
  document: DidDocument,
  list: string,
  fragment: string,
): Record<string, unknown> | undefined {
  const entries = document[list]
  if (!Array.isArray(entries)) return undefined
  const ids = [`#${fragment}`, `${document.id}#${fragment}`]
  return entries.find(
    (entry: unknown): entry is Record<string, unknown> =>
      isObject(entry) && typeof entry['id'] === 'string' && ids.includes(entry['id']),
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
