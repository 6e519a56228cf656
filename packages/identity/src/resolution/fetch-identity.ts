import type { AskServer, SafeFetch, ServerAnswer } from '@rookery/http'
import { type Handle, tryParseDid } from '@rookery/syntax'

import { DidDeactivatedError, DidNotFoundError, DidUnreachableError } from '../errors.ts'
import { type DidDocument, toDidDocument } from './did-document.ts'
import { type ResolveTxt, findTxtDid } from './txt-records.ts'

/** Where identities are looked up. */
export type IdentitySources = {
  /** For servers that strangers named. */
  fetch: SafeFetch
  /** For the PLC directory, which the operator named. */
  askPlc: AskServer
  plcUrl: string
  /** Uses plain HTTP for did:web of localhost: for a local stack only. */
  allowPrivateNetwork: boolean
  /** Answers TXT queries. */
  resolveTxt: ResolveTxt
}

/**
 * Asks whoever knows for a DID's document.
 *
 * @throws {DidNotFoundError} if there is none, or the method is neither plc nor web.
 * @throws {DidDeactivatedError} if the DID was tombstoned.
 * @throws {DidUnreachableError} if the server does not answer with a document.
 */
export async function fetchDidDocument(sources: IdentitySources, did: string): Promise<DidDocument> {
  const answer = await fetchDocument(sources, did)
  const { status } = answer
  if (status === 404 || status === 410) throw await absence(answer, did)
  if (status < 200 || status >= 300)
    throw new DidUnreachableError(`resolving ${did} was answered with status ${status}`)
  const document = toDidDocument(await jsonOf(answer, did), did)
  if (document === undefined) throw new DidUnreachableError(`the document at ${did} is not the DID's`)
  return document
}

/**
 * Looks a handle up by DNS and by HTTPS, both at once; DNS is preferred (SPEC IDN-1).
 *
 * @returns the DID that the handle names, or undefined if it names none, or several.
 */
export async function fetchHandle(sources: IdentitySources, handle: Handle): Promise<string | undefined> {
  const viaHttps = fetchHandleProof(sources, handle)
  return (await findTxtDid(sources.resolveTxt, `_atproto.${handle}`)) ?? (await viaHttps)
}

async function fetchDocument(sources: IdentitySources, did: string): Promise<ServerAnswer> {
  const isPlc = /^did:plc:[a-z2-7]{24}$/.test(did)
  const url = isPlc ? `${sources.plcUrl}/${did}` : didWebUrl(did, sources.allowPrivateNetwork)
  if (url === undefined) throw new DidNotFoundError(`DID not found: ${did.slice(0, 100)}`)
  try {
    return await (isPlc ? sources.askPlc : sources.fetch)(url, { headers: { accept: 'application/json' } })
  } catch (error) {
    throw new DidUnreachableError(`${did} could not be resolved`, { cause: error })
  }
}

async function jsonOf(answer: ServerAnswer, did: string): Promise<unknown> {
  try {
    return JSON.parse(await answer.text())
  } catch (error) {
    throw new DidUnreachableError(`the document of ${did} is no JSON`, { cause: error })
  }
}

/**
 * Returns the error for a DID that its server does not have. The PLC directory answers a tombstone with 410, or (as
 * its server does) with 404 and other words.
 */
export async function absence(answer: ServerAnswer, did: string): Promise<Error> {
  const text = await answer.text().catch(() => '')
  return answer.status === 410 || text.includes('DID not available')
    ? new DidDeactivatedError(`DID is deactivated: ${did}`)
    : new DidNotFoundError(`DID not found: ${did}`)
}

/** Returns where a did:web has its document; undefined for DIDs with a path, which atproto does not have. */
function didWebUrl(did: string, allowPrivateNetwork: boolean): string | undefined {
  const host = /^did:web:([a-z0-9.-]+(?:%3A\d{1,5})?)$/i.exec(did)?.[1]
  if (host === undefined) return undefined
  const isLocal = allowPrivateNetwork && /^localhost(%3A|$)/i.test(host)
  return `${isLocal ? 'http' : 'https'}://${decodeURIComponent(host)}/.well-known/did.json`
}

async function fetchHandleProof(sources: IdentitySources, handle: Handle): Promise<string | undefined> {
  try {
    const url = `https://${handle}/.well-known/atproto-did`
    const response = await sources.fetch(url, { redirect: 'follow' })
    if (!response.ok) return undefined
    return tryParseDid((await response.text()).trim())
  } catch {
    // A name without a server is the usual case: it proves nothing.
    return undefined
  }
}
