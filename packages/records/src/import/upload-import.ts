import { createHash, randomBytes } from 'node:crypto'
import { type Readable, Transform, type TransformCallback } from 'node:stream'

import { type BlobStore, blobKey } from '@rookery/blobs'
import { DomainError } from '@rookery/std'

import { ImportAbortedError, ImportTooLargeError } from '../errors.ts'
import { importUploadMsMax } from './limits.ts'

/** A CAR on its way in. */
export type ImportUpload = {
  hostId: number
  accountId: number
  /** The bytes; its chunks are the store's. Not destroyed on failure, so that an answer can still be sent. */
  body: Readable
  /** The client's Content-Length, if it counts the bytes of `body`. */
  length?: number | undefined
  /** Largest CAR, in bytes. */
  bytesMax: number
  /** Longest time, in milliseconds. Default `importUploadMsMax`. */
  timeoutMs?: number
}

/** A CAR that came: where it lies, and what it is. */
export type UploadedImport = {
  objectKey: string
  /** SHA-256 of its bytes, in hexadecimal. */
  digest: string
}

/**
 * Puts an uploaded CAR where the import finds it, without looking into it. Nothing stays if this fails. An object that no import has deleted is found by `collectOrphanObjects`.
 *
 * @throws {ImportTooLargeError} above `bytesMax` bytes.
 * @throws {ImportAbortedError} if the body breaks off, is not as long as announced, or takes too long.
 * @throws {BlobStoreUnavailableError}
 */
export async function uploadImport(store: BlobStore, upload: ImportUpload): Promise<UploadedImport> {
  const { hostId, accountId, body, length, bytesMax } = upload
  if (length !== undefined && length > bytesMax) throw tooLarge(bytesMax)
  const objectKey = blobKey({ hostId, accountId, name: `import_${randomBytes(16).toString('hex')}` })
  const gate = new Gate(bytesMax)
  const onEnd = (): void => {
    if (!body.readableEnded) gate.destroy(new ImportAbortedError('The upload broke off'))
  }
  body.once('error', onEnd)
  body.once('close', onEnd)
  if (body.destroyed) onEnd()
  const timeout = AbortSignal.timeout(upload.timeoutMs ?? importUploadMsMax)
  try {
    body.pipe(gate)
    await store.put(objectKey, gate, timeout)
  } catch (error) {
    if (error !== timeout.reason) throw error
    throw new ImportAbortedError('Operation timed out, please try again.', { cause: error })
  } finally {
    body.unpipe(gate)
    body.off('close', onEnd)
  }
  if (length !== undefined && length !== gate.bytes) {
    await deleteUpload(store, objectKey)
    throw new ImportAbortedError(`The body has ${gate.bytes} bytes instead of ${length}`)
  }
  return { objectKey, digest: gate.hash.digest('hex') }
}

/** Deletes an upload; what cannot be deleted now is found by `collectOrphanObjects`. */
export async function deleteUpload(store: Pick<BlobStore, 'delete'>, objectKey: string): Promise<void> {
  try {
    await store.delete(objectKey)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
  }
}

/** Lets bytes through up to a bound, and hashes them. */
class Gate extends Transform {
  readonly #bytesMax: number
  readonly hash = createHash('sha256')
  bytes = 0

  constructor(bytesMax: number) {
    super()
    this.#bytesMax = bytesMax
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length
    if (this.bytes > this.#bytesMax) done(tooLarge(this.#bytesMax))
    else {
      this.hash.update(chunk)
      done(null, chunk)
    }
  }
}

function tooLarge(bytesMax: number): ImportTooLargeError {
  return new ImportTooLargeError(`This repo is too large. The limit is ${bytesMax} bytes.`)
}
