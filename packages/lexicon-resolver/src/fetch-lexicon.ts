import type { SafeFetch } from '@rookery/http'
import {
  type IdentityResolver,
  type ResolveTxt,
  atprotoData,
  findTxtDid,
  verifySignature,
} from '@rookery/identity'
import { type LexiconDocument, foreignDocumentBytesMax, parseForeignDocument } from '@rookery/lexicon'
import {
  InvalidCarError,
  MissingBlockError,
  collectCar,
  decodeCommit,
  findRecord,
  loadPaths,
  memoryStore,
  openTree,
  verifyCommit,
} from '@rookery/repo'
import { atUri, cidToString, decodeDataObject } from '@rookery/syntax'

import { LexiconNotFoundError } from './errors.ts'
import { lookUpMsMax, proofBytesMax } from './limits.ts'

/** Where lexicons are looked up. */
export type LexiconSources = {
  resolveTxt: ResolveTxt
  identities: Pick<IdentityResolver, 'resolveDid'>
  /** For servers that strangers named, with answers up to `proofBytesMax`. */
  fetch: SafeFetch
}

/** A lexicon as its authority publishes it. */
export type PublishedLexicon = {
  /** Of the record that it is. */
  uri: string
  cid: string
  document: LexiconDocument
}

const schemaCollection = 'com.atproto.lexicon.schema'

/**
 * Looks a lexicon up where its name says (SPEC LEX-10): the authority's domain names a DID, whose repo has it as a
 * record. Signature and proof are checked, so nobody on the way, the PDS included, can make one up.
 *
 * @param nsid a valid NSID.
 * @throws {LexiconNotFoundError} if there is none, it cannot be had within `lookUpMsMax`, or it is not to be trusted.
 */
export async function fetchLexicon(sources: LexiconSources, nsid: string): Promise<PublishedLexicon> {
  const timeout = AbortSignal.timeout(lookUpMsMax)
  const late = new Promise<never>((_, reject) => {
    timeout.addEventListener('abort', () => reject(new LexiconNotFoundError(nsid, 'nobody answered in time')))
  })
  try {
    return await Promise.race([fetchPublished(sources, nsid, timeout), late])
  } catch (error) {
    if (error instanceof LexiconNotFoundError) throw error
    throw new LexiconNotFoundError(nsid, 'it could not be looked up', { cause: error })
  }
}

async function fetchPublished(
  sources: LexiconSources,
  nsid: string,
  signal: AbortSignal,
): Promise<PublishedLexicon> {
  const domain = authorityOf(nsid)
  const did = await findTxtDid(sources.resolveTxt, `_lexicon.${domain}`)
  if (did === undefined) throw new LexiconNotFoundError(nsid, `${domain} names no DID`)
  const { pdsUrl, signingKey } = atprotoData(await sources.identities.resolveDid(did))
  if (pdsUrl === undefined || signingKey === undefined) {
    throw new LexiconNotFoundError(nsid, `${did} has no PDS or no signing key`)
  }
  const query = new URLSearchParams({ did, collection: schemaCollection, rkey: nsid })
  const url = `${pdsUrl}/xrpc/com.atproto.sync.getRecord?${query.toString()}`
  const response = await sources.fetch(url, { signal, headers: { accept: 'application/vnd.ipld.car' } })
  if (!response.ok || response.body === null) {
    await response.body?.cancel()
    throw new LexiconNotFoundError(nsid, `its PDS answered with status ${response.status}`)
  }
  const { cid, bytes } = await readProof(response.body, {
    did,
    signingKey,
    path: `${schemaCollection}/${nsid}`,
  })
  return { uri: atUri(did, schemaCollection, nsid), cid, document: readDocument(nsid, bytes) }
}

/** Returns the domain that speaks for an NSID: its authority, the other way round. */
function authorityOf(nsid: string): string {
  return nsid.split('.').slice(0, -1).toReversed().join('.').toLowerCase()
}

async function readProof(
  car: AsyncIterable<Uint8Array>,
  of: { did: string; signingKey: string; path: string },
): Promise<{ cid: string; bytes: Uint8Array }> {
  const { roots, blocks } = await collectCar(car, { carBytesMax: proofBytesMax })
  const [root] = roots
  const commitBytes = blocks.get(root)
  if (commitBytes === undefined) throw new InvalidCarError('the commit is missing')
  const commit = decodeCommit(commitBytes)
  const isSigned = await verifyCommit(commit, (bytes, sig) => verifySignature(of.signingKey, bytes, sig))
  if (commit.did !== of.did || !isSigned) throw new InvalidCarError('the commit is not that of the DID')
  const tree = openTree(commit.data, { foreign: true })
  await loadPaths(tree, [of.path], memoryStore(blocks)).catch((error: unknown) => {
    // A proof has the nodes down to the record, and not those that border on it.
    if (!(error instanceof MissingBlockError)) throw error
  })
  const cid = findRecord(tree, of.path)
  const bytes = cid && blocks.get(cid)
  if (bytes === undefined) throw new InvalidCarError('the record is missing')
  return { cid: cidToString(cid!), bytes }
}

function readDocument(nsid: string, bytes: Uint8Array): LexiconDocument {
  if (bytes.length > foreignDocumentBytesMax) {
    throw new LexiconNotFoundError(nsid, `${bytes.length} bytes, more than ${foreignDocumentBytesMax}`)
  }
  const record = decodeDataObject(bytes)
  const document = parseForeignDocument(record)
  if (record['$type'] !== schemaCollection || document.id !== nsid) {
    throw new LexiconNotFoundError(nsid, 'the record is not its schema')
  }
  return document
}
