/**
 * Frames of com.atproto.sync.subscribeRepos (SPEC EV, SYN): a header and a body, both DRISL, one after the other.
 *
 * The shapes are fixed, so each encoder writes its keys in canonical order without sorting. Seq is not known yet:
 * eight bytes are kept for it. A seq is always above 2^32, so nine bytes are its only canonical encoding, and
 * `writeSeq` (or the leader's SQL function) fills it in without decoding.
 */
import { assert, DomainError } from '@rookery/std'
import type { Cid } from '@rookery/syntax'

import { frameBytesMax } from '../limits.ts'
import { CborWriter, linkBytes, textBytesMax } from './cbor-writer.ts'

/** A finished frame but for its seq. */
export type EventFrame = {
  /** Header and body. */
  frame: Buffer
  /** Where the eight big-endian bytes of seq go. */
  seqOffset: number
}

/** One operation of a commit. */
export type CommitFrameOp = {
  action: 'create' | 'update' | 'delete'
  /** Collection and record key. */
  path: string
  /** The new record; null for a delete. */
  cid: Cid | null
  /** The record before; absent for a create and only then (SPEC SYN-2). */
  prev?: Cid
}

/** What a #commit says. */
export type CommitEvent = {
  repo: string
  /** CID of the signed commit, the root of `blocks`. */
  commit: Cid
  rev: string
  /** Rev of the repo's previous commit; null for the first. */
  since: string | null
  /** CAR slice: commit, changed nodes, covering proof, new records. */
  blocks: Uint8Array
  ops: readonly CommitFrameOp[]
  /** The previous commit's tree; absent for the first commit only. */
  prevData?: Cid
  /** ISO 8601 with milliseconds and Z. */
  time: string
}

/** What a #sync says. */
export type SyncEvent = {
  did: string
  rev: string
  /** CAR with the signed commit alone. */
  blocks: Uint8Array
  time: string
}

/** What an #identity says. */
export type IdentityEvent = { did: string; handle?: string; time: string }

/** Why an account is not active, as on the wire (SPEC SYN-7). */
export type AccountEventStatus = 'takendown' | 'suspended' | 'deleted' | 'deactivated'

/** What an #account says. */
export type AccountEvent = {
  did: string
  /** Why the account is not active; absent when it is. */
  status?: AccountEventStatus
  time: string
}

/** Is thrown for an event whose frame no relay would take (SPEC EV-9): the change must be split or refused. */
export class FrameTooLargeError extends DomainError {
  override readonly name = 'FrameTooLargeError'
  readonly code = 'FrameTooLarge'
}

const slack = 256

/**
 * Returns the frame of a #commit.
 *
 * @throws {FrameTooLargeError} above `frameBytesMax`.
 */
export function encodeCommitFrame(event: CommitEvent): EventFrame {
  let bytesMax = slack + 2 * linkBytes + event.blocks.length
  bytesMax += textBytesMax(event.repo) + textBytesMax(event.rev) + textBytesMax(event.since)
  bytesMax += textBytesMax(event.time)
  for (const op of event.ops) bytesMax += 40 + textBytesMax(op.path) + 2 * linkBytes
  const out = header('#commit', bytesMax).map(event.prevData ? 12 : 11)
  out.text('ops').array(event.ops.length)
  for (const op of event.ops) writeOp(out, op)
  out.text('rev').text(event.rev)
  const seqOffset = out.text('seq').uint64Placeholder()
  out.text('repo').text(event.repo).text('time').text(event.time)
  // `blobs`, `rebase` and `tooBig` are deprecated but required, with these values (SPEC SYN-1).
  out.text('blobs').array(0)
  out.text('since')
  if (event.since === null) out.null()
  else out.text(event.since)
  out.text('blocks').bytes(event.blocks).text('commit').cid(event.commit)
  out.text('rebase').boolean(false).text('tooBig').boolean(false)
  if (event.prevData) out.text('prevData').cid(event.prevData)
  return finish(out, seqOffset)
}

/**
 * Returns the frame of a #sync.
 *
 * @throws {FrameTooLargeError} above `frameBytesMax`.
 */
export function encodeSyncFrame(event: SyncEvent): EventFrame {
  const bytesMax =
    slack + event.blocks.length + textBytesMax(event.did) + textBytesMax(event.rev) + textBytesMax(event.time)
  const out = header('#sync', bytesMax).map(5).text('did').text(event.did).text('rev').text(event.rev)
  const seqOffset = out.text('seq').uint64Placeholder()
  out.text('time').text(event.time).text('blocks').bytes(event.blocks)
  return finish(out, seqOffset)
}

/**
 * Returns the frame of an #identity.
 *
 * @throws {FrameTooLargeError} above `frameBytesMax`.
 */
export function encodeIdentityFrame(event: IdentityEvent): EventFrame {
  const bytesMax = slack + textBytesMax(event.did) + textBytesMax(event.handle) + textBytesMax(event.time)
  const hasHandle = event.handle !== undefined
  const out = header('#identity', bytesMax)
    .map(hasHandle ? 4 : 3)
    .text('did')
    .text(event.did)
  const seqOffset = out.text('seq').uint64Placeholder()
  out.text('time').text(event.time)
  if (event.handle !== undefined) out.text('handle').text(event.handle)
  return finish(out, seqOffset)
}

/**
 * Returns the frame of an #account; active unless a status says why not.
 *
 * @throws {FrameTooLargeError} above `frameBytesMax`.
 */
export function encodeAccountFrame(event: AccountEvent): EventFrame {
  const bytesMax = slack + textBytesMax(event.did) + textBytesMax(event.status) + textBytesMax(event.time)
  const isActive = event.status === undefined
  const out = header('#account', bytesMax)
    .map(isActive ? 4 : 5)
    .text('did')
    .text(event.did)
  const seqOffset = out.text('seq').uint64Placeholder()
  out.text('time').text(event.time).text('active').boolean(isActive)
  if (event.status !== undefined) out.text('status').text(event.status)
  return finish(out, seqOffset)
}

/** Returns the frame of an #info, which has no seq (SPEC SYN-8). */
export function encodeInfoFrame(info: { name: 'OutdatedCursor'; message: string }): Buffer {
  const out = header('#info', slack + textBytesMax(info.message)).map(2)
  return out.text('name').text(info.name).text('message').text(info.message).finish()
}

/** Returns an error frame; the connection closes after it (SPEC EV-1). */
export function encodeErrorFrame(error: { error: string; message: string }): Buffer {
  const out = new CborWriter(slack + textBytesMax(error.error) + textBytesMax(error.message))
  out.raw(errorHeader).map(2)
  return out.text('error').text(error.error).text('message').text(error.message).finish()
}

/**
 * Writes seq into a frame, in place, and returns the frame.
 *
 * @param seq from 2^32, below which nine bytes are not canonical, to 2^53.
 */
export function writeSeq(frame: Buffer, seqOffset: number, seq: number): Buffer {
  assert(seq >= 2 ** 32 && Number.isSafeInteger(seq), 'a seq is a time in microseconds')
  frame.writeUInt32BE(Math.floor(seq / 2 ** 32), seqOffset)
  frame.writeUInt32BE(seq % 2 ** 32, seqOffset + 4)
  return frame
}

// {op: -1}
const errorHeader = Buffer.from([0xa1, 0x62, 0x6f, 0x70, 0x20])

// {t: …, op: 1}: the shorter key is first.
function header(type: string, bytesMax: number): CborWriter {
  return new CborWriter(bytesMax).map(2).text('t').text(type).text('op').raw(one)
}

const one = Buffer.from([1])

function writeOp(out: CborWriter, op: CommitFrameOp): void {
  out
    .map(op.prev ? 4 : 3)
    .text('cid')
    .cidOrNull(op.cid)
    .text('path')
    .text(op.path)
  if (op.prev) out.text('prev').cid(op.prev)
  out.text('action').text(op.action)
}

function finish(out: CborWriter, seqOffset: number): EventFrame {
  if (out.length > frameBytesMax) {
    throw new FrameTooLargeError(`the event takes ${out.length} of ${frameBytesMax} bytes`)
  }
  return { frame: out.finish(), seqOffset }
}
