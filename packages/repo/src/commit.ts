import { type Cid, type Tid, cidForCbor, isTid } from '@rookery/syntax'

import type { Block } from './block.ts'
import { CborReader, CborWriter } from './cbor.ts'
import { InvalidCommitError } from './errors.ts'
import { commitBytesMax, didBytesMax } from './limits.ts'

/** What a commit says, before it is signed (SPEC REP-1). */
export type UnsignedCommit = {
  readonly did: string
  readonly rev: Tid
  /** Root of the tree. */
  readonly data: Cid
}

/** A commit as read from a block: version 3, or version 2 of an old export, which may lack `rev` (SPEC REP-5). */
export type Commit = {
  readonly version: 2 | 3
  readonly did: string
  readonly rev: Tid | undefined
  readonly data: Cid
  readonly prev: Cid | null
  /** The 64-byte signature. */
  readonly sig: Uint8Array
}

/** Signs the SHA-256 of the bytes with the account's key; returns the compact low-S signature of 64 bytes. */
export type Sign = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** Tells whether the signature over the SHA-256 of the bytes is the account's. */
export type Verify = (bytes: Uint8Array, sig: Uint8Array) => boolean | Promise<boolean>

/** Length of a signature in bytes. */
const sigBytes = 64

const writer = new CborWriter(commitBytesMax)
const didPattern = /^did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]$/

/**
 * Returns the bytes that are signed: version 3 with `prev` null (SPEC REP-2).
 *
 * @throws {InvalidCommitError} if the DID or the rev is malformed.
 * @example
 * const sig = key.sign(encodeUnsignedCommit({ did, rev, data }))
 */
export function encodeUnsignedCommit(commit: UnsignedCommit): Buffer {
  checkCommit(commit.did, commit.rev)
  return encode({ ...commit, version: 3, prev: null }, undefined)
}

/**
 * Signs a commit and returns its block. The signature is not verified: that is the caller's policy.
 *
 * @throws {InvalidCommitError} if the DID or the rev is malformed, or the signature is not 64 bytes long.
 * @example
 * const commit = await signCommit({ did, rev: clock.next(head.rev), data: applied.tree.root }, key.sign)
 */
export async function signCommit(commit: UnsignedCommit, sign: Sign): Promise<Block> {
  const unsigned = encodeUnsignedCommit(commit)
  const signed = sign(unsigned)
  const sig = signed instanceof Promise ? await signed : signed
  return encodeCommit(commit, sig)
}

/**
 * Returns the block of a commit whose signature is there already.
 *
 * @throws {InvalidCommitError} if the DID or the rev is malformed, or the signature is not 64 bytes long.
 * @example
 * const { cid, bytes } = encodeCommit({ did, rev, data }, sig)
 */
export function encodeCommit(commit: UnsignedCommit, sig: Uint8Array): Block {
  checkCommit(commit.did, commit.rev)
  if (sig.length !== sigBytes) invalidCommit('the signature is not 64 bytes long')
  const bytes = encode({ ...commit, version: 3, prev: null }, sig)
  return { cid: cidForCbor(bytes), bytes }
}

/**
 * Reads a commit: canonical CBOR with exactly its fields, version 3 or 2.
 *
 * @throws {InvalidCommitError} if the bytes are anything else.
 * @example
 * const { did, rev, data } = decodeCommit(block)
 */
export function decodeCommit(bytes: Uint8Array): Commit {
  if (bytes.length > commitBytesMax) return invalidCommit('it is too large')
  const reader = new CborReader(bytes, invalidCommit)
  const fields = reader.head(0xa0)
  if (fields !== 5 && fields !== 6) return invalidCommit('it has missing or unknown fields')
  reader.key('did')
  const did = reader.ascii(didBytesMax)
  let rev: string | undefined
  if (fields === 6) {
    reader.key('rev')
    rev = reader.ascii(13)
  }
  reader.key('sig')
  const sig = reader.byteString(sigBytes)
  reader.key('data')
  const data = reader.link()
  reader.key('prev')
  const prev = reader.linkOrNull()
  reader.key('version')
  const version = reader.head(0)
  reader.end()
  if (version !== 3 && version !== 2) return invalidCommit('its version is neither 3 nor 2')
  if (version === 3 && rev === undefined) return invalidCommit('it has no rev')
  checkCommit(did, rev)
  return { version, did, rev, data, prev, sig }
}

/**
 * Tells whether the commit's signature is that of the account's key.
 *
 * @example
 * if (!(await verifyCommit(decodeCommit(bytes), key.verify))) throw new Error('not ours')
 */
export async function verifyCommit(commit: Commit, verify: Verify): Promise<boolean> {
  return verify(encode(commit, undefined), commit.sig)
}

function encode(commit: Omit<Commit, 'sig'>, sig: Uint8Array | undefined): Buffer {
  const { did, rev, data, prev, version } = commit
  writer.at = 0
  writer.head(0xa0, 4 + (rev === undefined ? 0 : 1) + (sig === undefined ? 0 : 1))
  writer.ascii('did')
  writer.ascii(did)
  if (rev !== undefined) {
    writer.ascii('rev')
    writer.ascii(rev)
  }
  if (sig !== undefined) {
    writer.ascii('sig')
    writer.byteString(sig)
  }
  writer.ascii('data')
  writer.link(data)
  writer.ascii('prev')
  writer.link(prev)
  writer.ascii('version')
  writer.head(0, version)
  return writer.take()
}

function checkCommit(did: string, rev: string | undefined): void {
  if (did.length > didBytesMax || !didPattern.test(did)) invalidCommit('its did is none')
  if (rev !== undefined && !isTid(rev)) invalidCommit('its rev is no TID')
}

function invalidCommit(reason: string): never {
  throw new InvalidCommitError(`not a valid commit: ${reason}`)
}
