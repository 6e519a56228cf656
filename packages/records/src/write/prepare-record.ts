import { InvalidRecordError } from '@rookery/lexicon'
import {
  type DataObject,
  type Nsid,
  type RecordKey,
  type TidClock,
  blobRefs,
  cidForCbor,
  encodeData,
  isNsid,
  isRecordKey,
  parseCid,
  recordBytesMax,
} from '@rookery/syntax'

import type { BlobRefClaim } from '../blobs/check-blob-refs.ts'
import { recordBlobsMax } from '../limits.ts'
import { linkOfRecord, subjectOf } from './record-link.ts'
import type { RecordWrite } from '../commit/record-write.ts'

/** The lexicons as far as records need them; `LexiconRegistry` fits. */
export type RecordLexicons = {
  /** Returns whether the collection's lexicon is known; throws if it is and the record breaks it. */
  validateRecord(collection: string, value: unknown, rkey?: string): 'valid' | 'unknown'
  /** Whether a record needs a lexicon, and must keep to it, whatever the client asks for. */
  isRequired?: boolean
}

/** What validation found: absent when the client asked for none. */
export type ValidationStatus = 'valid' | 'unknown' | undefined

/** A record that a client wants to write. */
export type RecordInput = {
  collection: string
  /** Default a new TID. */
  rkey?: string | undefined
  /** In its JSON form; has passed `checkData`. */
  record: DataObject
  /** true: the lexicon must be known; false: not validated; absent: validated if known (SPEC WR-5). */
  validate?: boolean | undefined
}

/** A record that keeps every rule that holds whatever the repo has. */
export type PreparedRecord = {
  readonly collection: Nsid
  readonly rkey: RecordKey
  readonly validationStatus: ValidationStatus
  /** What it says of the blobs that it refers to: to be checked against the account's. */
  readonly blobs: readonly BlobRefClaim[]
  /** What it is about, if its collection should have one record per subject. */
  readonly subject: string | undefined
  /** The record as a create or an update. */
  readonly write: (action: 'create' | 'update') => Exclude<RecordWrite, { action: 'delete' }>
}

/**
 * Checks and encodes a record (SPEC §2, WR-5, WR-6, DM-10, DM-13).
 *
 * @throws {InvalidRecordError} for a bad collection, record key or `$type`, a legacy blob, a record that is too large,
 *   breaks its lexicon, or has none that is known while `validate` is true.
 */
export function prepareRecord(
  deps: { lexicons: RecordLexicons; clock: TidClock },
  input: RecordInput,
): PreparedRecord {
  const { collection } = input
  const validate = deps.lexicons.isRequired === true ? true : input.validate
  const rkey = input.rkey ?? deps.clock.next()
  checkPath(collection, rkey)
  const { $type = collection } = input.record
  if (typeof $type !== 'string' || $type !== collection) {
    throw new InvalidRecordError(`Invalid $type: expected ${collection}, got ${JSON.stringify($type)}`)
  }
  const record: DataObject = { ...input.record, $type }
  const validationStatus =
    validate === false ? undefined : deps.lexicons.validateRecord(collection, record, rkey)
  if (validate === true && validationStatus === 'unknown') {
    throw new InvalidRecordError(`Unknown lexicon type: ${collection}`)
  }
  const blobs = claimsOf(record)
  const bytes = encodeData(record)
  if (bytes.length > recordBytesMax) {
    throw new InvalidRecordError(`Record is too large: ${bytes.length} bytes, max ${recordBytesMax}`)
  }
  const [cid, link] = [cidForCbor(bytes), linkOfRecord(collection, record)]
  const write = { collection, rkey, cid, bytes, link, blobs: distinctCids(blobs) }
  return {
    collection,
    rkey,
    validationStatus,
    blobs,
    subject: subjectOf(collection, record),
    write: (action) => ({ action, ...write }),
  }
}

/**
 * Requires a collection and a record key.
 *
 * @throws {InvalidRecordError} if one of them is malformed.
 */
export function checkPath(collection: string, rkey: string): void {
  if (!isNsid(collection)) throw new InvalidRecordError(`Invalid collection: ${collection.slice(0, 400)}`)
  if (!isRecordKey(rkey)) throw new InvalidRecordError(`Invalid record key: ${rkey.slice(0, 600)}`)
}

function claimsOf(record: DataObject): BlobRefClaim[] {
  const refs = blobRefs(record)
  const legacy = refs.find((ref) => ref.legacy)
  if (legacy) throw new InvalidRecordError(`Legacy blobs are not allowed (${legacy.cid})`)
  if (refs.length > recordBlobsMax) throw new InvalidRecordError(`Too many blobs. Max: ${recordBlobsMax}`)
  return refs.map(({ cid, mimeType, size }) => ({ cid: parseCid(cid), mimeType, size }))
}

function distinctCids(claims: readonly BlobRefClaim[]): Buffer[] {
  const byHex = new Map(claims.map(({ cid }) => [Buffer.from(cid).toString('hex'), Buffer.from(cid)]))
  return [...byHex.values()]
}
