import type { Readable } from 'node:stream'

import { type BlobStore, blobKey, newObjectName } from '@rookery/blobs'
import type { Database } from '@rookery/db'
import { DomainError, releaseBytes } from '@rookery/std'
import type { Cid } from '@rookery/syntax'

import { BlobMeter } from './blob-meter.ts'
import { findBlobRow, storeBlob } from './blob-queries.ts'
import { type BlobRules, dependOnContent, noBlobRules } from './blob-rules.ts'
import {
  BlobLengthError,
  BlobTooLargeError,
  BlobUploadAbortedError,
  BlobUploadTimeoutError,
} from './errors.ts'
import { uploadMsMax } from './limits.ts'
import { sniffMimeType } from './sniff-mime-type.ts'
import { UploadGate } from './upload-gate.ts'
import { checkBlobQuota } from './usage-queries.ts'

/** What the functions on blobs work with. */
export type BlobDeps = {
  store: BlobStore
  pool: Database['pool']
}

/** An upload by an account. */
export type BlobUpload = {
  hostId: number
  accountId: number
  /** The bytes; its chunks are the store's. Not destroyed on failure, so that an answer can still be sent. */
  body: Readable
  /** The client's Content-Type. */
  mimeType?: string | undefined
  /** The client's Content-Length, if it counts the bytes of `body`. */
  length?: number | undefined
  /** Largest blob, in bytes. */
  bytesMax: number
  /** What else the account's tenant asks of it. Default: nothing. */
  rules?: BlobRules
  /** Longest time, in milliseconds. Default `uploadMsMax`. */
  timeoutMs?: number
}

/** What a record needs to refer to a blob. */
export type StoredBlob = { cid: Cid; mimeType: string; size: number }

/**
 * Stores a blob of an account and returns what to refer to it by. It is temporary until a record does, or permanent
 * at once if an imported record already does. Bytes that the account has keep their state and type, and only start
 * their age anew. If the tenant has locations removed, the CID is that of what is left.
 *
 * The object is stored first, its row after: whatever fails in between, the object is deleted, or left to
 * `collectOrphanObjects` when the process dies or nobody knows whether the row was written.
 *
 * @throws {BlobTooLargeError}
 * @throws {BlobTypeRefusedError} or what the rules' `assertType` throws.
 * @throws {BlobLocationRefusedError}
 * @throws {BlobQuotaExceededError}
 * @throws {BlobLengthError}
 * @throws {BlobUploadAbortedError} if the body breaks off.
 * @throws {BlobUploadTimeoutError}
 * @throws {BlobTakenDownError}
 * @throws {AccountNotFoundError} if the account was deleted meanwhile.
 * @throws {BlobStoreUnavailableError}
 */
export async function uploadBlob(deps: BlobDeps, upload: BlobUpload): Promise<StoredBlob> {
  const { hostId, accountId, length, bytesMax, rules = noBlobRules } = upload
  if (length !== undefined && length > bytesMax) {
    throw new BlobTooLargeError(`This file is too large. The limit is ${bytesMax} bytes.`)
  }
  await checkBlobQuota(deps.pool, { accountId, bytes: length ?? 0 }, rules)
  const objectKey = blobKey({ hostId, accountId, name: newObjectName(Date.now()) })
  const meter = await putMetered(deps.store, objectKey, upload)
  const cid = meter.cid()
  try {
    if (length !== undefined && length !== meter.size) {
      throw new BlobLengthError(`The body has ${meter.size} bytes instead of ${length}`)
    }
    const head = meter.head()
    const mimeType = await sniffMimeType(head, upload.mimeType)
    releaseBytes(head)
    const blob = { accountId, cid, objectKey, mimeType, size: meter.size }
    const row = await storeBlob(deps.pool, blob, rules)
    if (row.object_key !== objectKey) await discard(deps.store, objectKey)
    return { cid, mimeType: row.mime_type, size: row.size }
  } catch (error) {
    await discardUnlessKnown(deps, { accountId, cid, objectKey })
    throw error
  }
}

async function putMetered(store: BlobStore, objectKey: string, upload: BlobUpload): Promise<BlobMeter> {
  const { body, rules = noBlobRules } = upload
  const meter = new BlobMeter(upload.bytesMax)
  const gate = dependOnContent(rules) ? new UploadGate(rules, upload.mimeType) : undefined
  gate?.on('error', (error) => meter.destroy(error)).pipe(meter)
  const entry = gate ?? meter
  const onEnd = (): void => {
    if (!body.readableEnded) meter.destroy(new BlobUploadAbortedError('The upload broke off'))
  }
  body.once('error', onEnd)
  body.once('close', onEnd)
  if (body.destroyed) onEnd()
  const timeout = AbortSignal.timeout(upload.timeoutMs ?? uploadMsMax)
  try {
    body.pipe(entry)
    await store.put(objectKey, meter, timeout)
    return meter
  } catch (error) {
    if (error === timeout.reason) {
      throw new BlobUploadTimeoutError('Operation timed out, please try again.', { cause: error })
    }
    throw error
  } finally {
    body.unpipe(entry)
    gate?.destroy()
    body.off('close', onEnd)
  }
}

/** A lost connection leaves it open whether the row was written: an object that has a row must stay. */
async function discardUnlessKnown(
  deps: BlobDeps,
  { accountId, cid, objectKey }: { accountId: number; cid: Cid; objectKey: string },
): Promise<void> {
  try {
    const row = await findBlobRow(deps.pool, accountId, cid)
    if (row?.object_key === objectKey) return
  } catch {
    return
  }
  await discard(deps.store, objectKey)
}

/** What cannot be deleted now is found by `collectOrphanObjects`. */
async function discard(store: BlobStore, objectKey: string): Promise<void> {
  try {
    await store.delete(objectKey)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
  }
}
