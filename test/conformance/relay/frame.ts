import { isDeepStrictEqual } from 'node:util'

import { isDatetimeString, isValidDid, isValidHandle, isValidRecordKey, isValidTid } from '@atproto/syntax'
import { decode, encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats'

import { must } from './rules.ts'

const frameBytesMax = 5_000_000
const seqMax = 2 ** 53 - 1

export type Op = { action: 'create' | 'update' | 'delete'; path: string; cid: CID | null; prev?: CID }
export type CommitEvent = {
  type: '#commit'
  seq: number
  time: string
  did: string
  rev: string
  since: string | null
  commit: CID
  blocks: Uint8Array
  ops: Op[]
  prevData?: CID
}
export type SyncEvent = {
  type: '#sync'
  seq: number
  time: string
  did: string
  rev: string
  blocks: Uint8Array
}
export type IdentityEvent = { type: '#identity'; seq: number; time: string; did: string; handle?: string }
export type AccountEvent = {
  type: '#account'
  seq: number
  time: string
  did: string
  active: boolean
  status?: string
}
export type RelayEvent = CommitEvent | SyncEvent | IdentityEvent | AccountEvent

type Type = RelayEvent['type']
type Body = Record<string, unknown>
type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isBytes: Check = (value) => value instanceof Uint8Array
const isCid: Check = (value) => CID.asCID(value) !== null
const isSeq: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= seqMax
const isFalse: Check = (value) => value === false

/** Fields of each type; those with a question mark may be absent. */
const fields: Record<Type, Record<string, Check>> = {
  '#commit': {
    seq: isSeq,
    time: isText,
    repo: isText,
    rev: isText,
    since: (value) => value === null || isText(value),
    commit: isCid,
    blocks: isBytes,
    ops: (value) => Array.isArray(value),
    blobs: (value) => isDeepStrictEqual(value, []),
    rebase: isFalse,
    tooBig: isFalse,
    'prevData?': isCid,
  },
  '#sync': { seq: isSeq, time: isText, did: isText, rev: isText, blocks: isBytes },
  '#identity': { seq: isSeq, time: isText, did: isText, 'handle?': isText },
  '#account': {
    seq: isSeq,
    time: isText,
    did: isText,
    active: (value) => typeof value === 'boolean',
    'status?': isText,
  },
}

const headers = (Object.keys(fields) as Type[]).map((type) => ({ type, bytes: encode({ op: 1, t: type }) }))
const notices = [encode({ op: -1 }), encode({ op: 1, t: '#info' })]

/** Returns the event in a frame of com.atproto.sync.subscribeRepos; anything but a well-formed event breaks a rule. */
export function readFrame(frame: Uint8Array): RelayEvent {
  must(frame.length <= frameBytesMax, 'frame-size', `${frame.length} bytes`)
  for (const bytes of notices) {
    if (startsWith(frame, bytes))
      must(false, 'frame-error', JSON.stringify(decode(frame.slice(bytes.length))))
  }
  const header = headers.find(({ bytes }) => startsWith(frame, bytes))
  must(header !== undefined, 'frame-encoding', 'the header is of no known type')
  const body = readBody(frame.subarray(header.bytes.length))
  checkFields(header.type, body)
  const { repo, did = repo, ...rest } = body
  const event = { ...rest, did, type: header.type } as RelayEvent
  checkSyntax(event)
  return event
}

function readBody(bytes: Uint8Array): Body {
  let body: Body
  try {
    body = decode(bytes)
  } catch (error) {
    must(false, 'frame-encoding', String(error))
  }
  must(typeof body === 'object' && body !== null, 'frame-encoding', 'the body is no map')
  must(Buffer.from(encode(body)).equals(bytes), 'frame-encoding', 'encoded again, the body is different')
  return body
}

function checkFields(type: Type, body: Body): void {
  const expected = fields[type]
  for (const [name, check] of Object.entries(expected)) {
    const key = name.replace('?', '')
    const isAbsent = name.endsWith('?') && !(key in body)
    must(isAbsent || check(body[key]), 'fields', `${key} of ${type}`)
  }
  const other = Object.keys(body).find((key) => !(key in expected) && !(`${key}?` in expected))
  must(other === undefined, 'fields', `${type} has ${other}`)
}

function checkSyntax(event: RelayEvent): void {
  must(isValidDid(event.did), 'syntax', `the DID ${event.did}`)
  must(isDatetimeString(event.time), 'time', event.time)
  must(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(event.time), 'time', event.time)
  if ('rev' in event) must(isValidTid(event.rev), 'syntax', `the rev ${event.rev}`)
  if (event.type === '#identity' && event.handle !== undefined) {
    must(isValidHandle(event.handle), 'syntax', `the handle ${event.handle}`)
  }
  if (event.type !== '#commit') return
  must(event.since === null || isValidTid(event.since), 'syntax', `since ${event.since}`)
  const paths = new Set<unknown>()
  for (const op of event.ops) {
    checkOp(op)
    must(!paths.has(op.path), 'ops', `${op.path} occurs twice`)
    paths.add(op.path)
  }
}

function checkOp(op: Op): void {
  const hasPrev = op.action !== 'create'
  const keys = hasPrev ? ['action', 'cid', 'path', 'prev'] : ['action', 'cid', 'path']
  const isKnown = op.action === 'create' || op.action === 'update' || op.action === 'delete'
  must(isKnown && isDeepStrictEqual(Object.keys(op).sort(), keys), 'ops', JSON.stringify(op))
  must(op.action === 'delete' ? op.cid === null : isCid(op.cid), 'ops', `the CID of ${op.path}`)
  must(!hasPrev || isCid(op.prev), 'ops', `the previous CID of ${op.path}`)
  const [collection, rkey, ...more] = typeof op.path === 'string' ? op.path.split('/') : []
  const isPath =
    more.length === 0 && /^[a-zA-Z0-9.-]+$/.test(collection ?? '') && isValidRecordKey(rkey ?? '')
  must(isPath, 'syntax', `the path ${op.path}`)
}

function startsWith(frame: Uint8Array, bytes: Uint8Array): boolean {
  return Buffer.from(frame.buffer, frame.byteOffset, Math.min(bytes.length, frame.length)).equals(bytes)
}
