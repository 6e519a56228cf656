import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'

import { assert, hourMs } from '@rookery/std'

/** A run of bytes of an object: both ends count, as in HTTP. */
export type ByteRange = {
  /** First byte, from 0. */
  start: number
  /** Last byte; what lies after the end of the object is left out. */
  end: number
}

/** An object that is being read. Whoever got it must read `body` to its end or destroy it, and owns its chunks. */
export type BlobObject = {
  /** Bytes of the whole object. */
  size: number
  /** Bytes that `body` yields: fewer than `size` for a range. */
  length: number
  body: Readable
}

/** What a store knows about an object without reading it. */
export type BlobObjectInfo = {
  key: string
  /** In bytes. */
  size: number
  /** When the object was written, by the store's clock. */
  modifiedAt: Date
}

/** Where a page of a listing starts. */
export type ListOptions = {
  /** Only keys that begin with this: empty, `<host>/` or `<host>/<account>/`. */
  prefix: string
  /** Only keys above this one. */
  after?: string | undefined
  /** Entries at most: 1 to `listEntriesMax`, which is the default. */
  limit?: number
}

/** How an object is to be answered under a signed URL. */
export type SignUrlOptions = {
  /** Time that the URL works, in milliseconds. */
  expiresMs: number
  contentType: string
  contentDisposition: string
}

/**
 * Objects by key: where the bytes of blobs live. Rows in Postgres say what exists; a store only keeps bytes.
 *
 * - A key is `<host>/<account>/<name>` (see `blobKey`; `exportKey` for archives), written once under a random name and never reused, so no
 *   reader ever sees an object change.
 * - `put` is all or nothing: the object appears whole, durable and under its key when the promise resolves, or not
 *   at all. A process that dies in the middle leaves an unfinished upload, which is no object and never listed;
 *   `removeUnfinished` clears those up.
 * - Memory is bounded by the driver, never by the size of the object, in both directions.
 * - Deleting is idempotent: what is not there counts as deleted. A reader that has the object open keeps reading.
 * - Listing is in ascending byte order of the keys, so that the last key of a page is the cursor of the next. An
 *   object written or deleted meanwhile may or may not be in it.
 * - Every method may throw `BlobStoreUnavailableError`; drivers try again by themselves where that is safe.
 * - Several processes may use one store at once. Disposing closes the connections and ends reads under way.
 */
export interface BlobStore extends AsyncDisposable {
  /**
   * Stores what the stream yields and returns its size in bytes. Owns the stream, which is read to its end or
   * destroyed if this fails, and its chunks, whose memory may be given back once they are stored (`releaseBytes`).
   *
   * @param signal gives up: the promise rejects with its reason, and nothing stays stored.
   * @throws {BlobStoreUnavailableError} if the store cannot take it. An error of the stream itself comes as it is.
   */
  put(key: string, body: Readable, signal?: AbortSignal): Promise<number>

  /**
   * Opens an object, or a range of it.
   *
   * @throws {BlobObjectNotFoundError} if there is none.
   * @throws {BlobRangeError} if the range starts at or after the end.
   * @throws {BlobStoreUnavailableError} An outage after the first byte is an error of the body.
   */
  get(key: string, range?: ByteRange): Promise<BlobObject>

  /**
   * Returns what is known about an object, or undefined if there is none.
   *
   * @throws {BlobStoreUnavailableError}
   */
  head(key: string): Promise<BlobObjectInfo | undefined>

  /**
   * Returns a URL under which anybody can read the object until it expires, whatever becomes of its row, or undefined
   * if the store has no public endpoint. Whether there is such an object is not looked up.
   */
  signUrl(key: string, options: SignUrlOptions): Promise<string | undefined>

  /**
   * Deletes an object if it is there.
   *
   * @throws {BlobStoreUnavailableError}
   */
  delete(key: string): Promise<void>

  /**
   * Deletes up to `deleteManyKeysMax` objects.
   *
   * @throws {BlobStoreUnavailableError} if any could not be deleted; others may be gone.
   */
  deleteMany(keys: readonly string[]): Promise<void>

  /**
   * Returns a page of objects in the order of their keys; an empty one is the end.
   *
   * @throws {BlobStoreUnavailableError}
   */
  list(options: ListOptions): Promise<BlobObjectInfo[]>

  /**
   * Removes what uploads begun before the given time left unfinished, and returns how many those were. The time
   * must be further back than the longest upload.
   *
   * @throws {BlobStoreUnavailableError}
   */
  removeUnfinished(before: Date): Promise<number>

  /**
   * Resolves if the store answers and lets us in.
   *
   * @throws {BlobStoreUnavailableError}
   */
  check(): Promise<void>
}

// Every character sorts above the slash: so a walk through directories, name by name, meets the keys in order.
const keyPattern = /^[0-9A-Za-z_]{1,64}\/[0-9A-Za-z_]{1,64}\/[0-9A-Za-z_]{8,128}$/
const prefixPattern = /^(?:[0-9A-Za-z_]{1,64}\/){0,2}$/

/**
 * Returns the key of an object: host first, then account, so that all of an account's objects share a prefix.
 *
 * @param of.name random, 8 to 128 letters, digits or underscores.
 */
export function blobKey(of: { hostId: number; accountId: number; name: string }): string {
  const key = `${of.hostId}/${of.accountId}/${of.name}`
  assertBlobKey(key)
  return key
}

/**
 * Returns a random name for an object. Its first two characters are those of all names of the same hour: a disk store
 * keeps the objects of an account by them in directories, and one that has to be made costs more than the object.
 */
export function newObjectName(nowMs: number): string {
  const hour = Buffer.of(Math.floor(nowMs / hourMs) % 256)
  return Buffer.concat([hour, randomBytes(15)]).toString('hex')
}

/**
 * Returns the key of an object of an account's export. Exports lie beside the blobs of all accounts, under a prefix of
 * their own: `tryParseBlobKey` does not know it, so that no collector of blobs touches them.
 *
 * @param of.name random, 8 to 128 letters, digits or underscores.
 */
export function exportKey(of: { hostId: number; accountId: number; name: string }): string {
  const key = `${exportPrefix(of)}${of.name}`
  assertBlobKey(key)
  return key
}

/** Returns what the keys of a host's exports, or of one account's, begin with. */
export function exportPrefix({ hostId, accountId }: { hostId: number; accountId?: number }): string {
  return `export_${hostId}/${accountId === undefined ? '' : `${accountId}/`}`
}

/** Returns the account that a key belongs to, or undefined for a key that `blobKey` did not make. */
export function tryParseBlobKey(key: string): { hostId: number; accountId: number } | undefined {
  if (!keyPattern.test(key)) return undefined
  const [hostId, accountId] = key.split('/').map(Number)
  if (!Number.isSafeInteger(hostId) || !Number.isSafeInteger(accountId)) return undefined
  return { hostId: hostId ?? 0, accountId: accountId ?? 0 }
}

/** Returns if the text is a key; anything else is a bug of the caller, never outside input. */
export function assertBlobKey(key: string): void {
  assert(keyPattern.test(key), 'a key is <host>/<account>/<name> of letters, digits and underscores')
}

/** Returns if the text may be the prefix of a listing; anything else is a bug of the caller. */
export function assertBlobPrefix(prefix: string): void {
  assert(prefixPattern.test(prefix), 'a prefix is empty, <host>/ or <host>/<account>/')
}
