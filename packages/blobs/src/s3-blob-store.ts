import { createHash } from 'node:crypto'
import { addAbortSignal, Readable } from 'node:stream'

import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { assert, must, secondMs } from '@rookery/std'

import {
  type BlobObject,
  type BlobObjectInfo,
  type BlobStore,
  type ByteRange,
  type ListOptions,
  type SignUrlOptions,
  assertBlobKey,
  assertBlobPrefix,
} from './blob-store.ts'
import { BlobObjectNotFoundError, BlobRangeError, BlobStoreUnavailableError } from './errors.ts'
import {
  checkTimeoutMs,
  connectTimeoutMs,
  connectionsMax,
  deleteManyKeysMax,
  deletesInFlightMax,
  idleTimeoutMs,
  listEntriesMax,
  partBytes,
  partsInFlightMax,
  requestAttemptsMax,
  requestTimeoutMs,
} from './limits.ts'

/** How to reach a bucket of any S3-compatible store. */
export type S3BlobStoreOptions = {
  bucket: string
  /** Default `us-east-1`, which stores without regions accept. */
  region?: string | undefined
  /** URL of the store; AWS's own for the region if left out. */
  endpoint?: string | undefined
  /** URL under which the world reaches the store, for signed URLs; without it there are none. */
  publicEndpoint?: string | undefined
  /** Whether the bucket is in the path instead of the hostname. Default: exactly if `endpoint` is given. */
  forcePathStyle?: boolean | undefined
  /** Default: what the SDK finds in its environment, such as the role of the machine. */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined
  /** Time from a request to the head of its response, in milliseconds. Default `requestTimeoutMs`. */
  requestTimeoutMs?: number | undefined
  /** Attempts per request. Default `requestAttemptsMax`. */
  attemptsMax?: number | undefined
}

/**
 * Keeps objects in a bucket; see `BlobStore` for the contract.
 *
 * Other makes of S3 differ in what they know of checksums: requests carry none unless the method demands one, and
 * DeleteObjects carries both kinds, since old stores insist on Content-MD5. A store without DeleteObjects is
 * asked to delete one by one.
 */
export class S3BlobStore implements BlobStore {
  readonly #client: S3Client
  /** Signs for the public endpoint; never connects. */
  readonly #signer: S3Client | undefined
  readonly #bucket: string
  #hasBulkDelete = true

  constructor(options: S3BlobStoreOptions) {
    this.#bucket = options.bucket
    this.#client = new S3Client(clientConfig(options))
    addContentMd5(this.#client)
    const { publicEndpoint: endpoint } = options
    this.#signer = endpoint === undefined ? undefined : new S3Client(clientConfig({ ...options, endpoint }))
  }

  async put(key: string, body: Readable, signal?: AbortSignal): Promise<number> {
    assertBlobKey(key)
    let size = 0
    let sourceError: unknown
    const counted = Readable.from(
      (async function* () {
        try {
          for await (const chunk of body) {
            assert(chunk instanceof Uint8Array, 'the stream of a blob yields bytes')
            size += chunk.byteLength
            yield chunk
          }
        } catch (error) {
          sourceError = error
          throw error
        }
      })(),
      { objectMode: false },
    )
    // Giving up means to break the stream: the SDK then cleans up before it rejects, which its own abort does not.
    if (signal) addAbortSignal(signal, body)
    const upload = new Upload({
      client: this.#client,
      params: { Bucket: this.#bucket, Key: key, Body: counted },
      partSize: partBytes,
      queueSize: partsInFlightMax,
    })
    try {
      await upload.done()
    } catch (error) {
      body.destroy()
      if (signal?.aborted) throw signal.reason
      throw sourceError ?? unavailable('put', error)
    }
    if (signal?.aborted) {
      await this.delete(key)
      throw signal.reason
    }
    return size
  }

  async get(key: string, range?: ByteRange): Promise<BlobObject> {
    assertBlobKey(key)
    const input = { Bucket: this.#bucket, Key: key }
    const command = new GetObjectCommand(
      range ? { ...input, Range: `bytes=${range.start}-${range.end}` } : input,
    )
    try {
      const output = await this.#client.send(command)
      const length = must(output.ContentLength, 'S3 tells the length of an object')
      const total = output.ContentRange?.split('/')[1]
      assert(output.Body instanceof Readable, 'the SDK answers with a stream of Node')
      return { size: total ? Number(total) : length, length, body: output.Body }
    } catch (error) {
      if (statusOf(error) === 416) throw new BlobRangeError(`range outside ${key}`, { cause: error })
      if (isMissingObject(error)) throw new BlobObjectNotFoundError(key, { cause: error })
      throw unavailable('get', error)
    }
  }

  async head(key: string): Promise<BlobObjectInfo | undefined> {
    assertBlobKey(key)
    try {
      const output = await this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key }))
      return { key, size: output.ContentLength ?? 0, modifiedAt: must(output.LastModified) }
    } catch (error) {
      if (isMissingObject(error)) return undefined
      throw unavailable('head', error)
    }
  }

  async signUrl(key: string, options: SignUrlOptions): Promise<string | undefined> {
    assertBlobKey(key)
    if (this.#signer === undefined) return undefined
    const command = new GetObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      ResponseContentType: options.contentType,
      ResponseContentDisposition: options.contentDisposition,
    })
    return getSignedUrl(this.#signer, command, { expiresIn: Math.ceil(options.expiresMs / secondMs) })
  }

  async delete(key: string): Promise<void> {
    assertBlobKey(key)
    try {
      await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }))
    } catch (error) {
      if (!isMissingObject(error)) throw unavailable('delete', error)
    }
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    assert(keys.length <= deleteManyKeysMax, 'the batch was cut before it came here')
    for (const key of keys) assertBlobKey(key)
    if (keys.length === 0) return
    if (this.#hasBulkDelete && (await this.#deleteInBulk(keys))) return
    for (let i = 0; i < keys.length; i += deletesInFlightMax) {
      await Promise.all(keys.slice(i, i + deletesInFlightMax).map((key) => this.delete(key)))
    }
  }

  async list(options: ListOptions): Promise<BlobObjectInfo[]> {
    assertBlobPrefix(options.prefix)
    const limit = options.limit ?? listEntriesMax
    assert(limit >= 1 && limit <= listEntriesMax, 'the limit of a listing is 1 to listEntriesMax')
    try {
      const output = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: options.prefix,
          StartAfter: options.after,
          MaxKeys: limit,
        }),
      )
      return (output.Contents ?? []).map((entry) => ({
        key: must(entry.Key),
        size: entry.Size ?? 0,
        modifiedAt: must(entry.LastModified),
      }))
    } catch (error) {
      throw unavailable('list', error)
    }
  }

  async removeUnfinished(before: Date): Promise<number> {
    let removed = 0
    let cursor: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {}
    try {
      for (;;) {
        const page = await this.#client.send(
          new ListMultipartUploadsCommand({ Bucket: this.#bucket, MaxUploads: listEntriesMax, ...cursor }),
        )
        for (const upload of page.Uploads ?? []) {
          if (!upload.Initiated || upload.Initiated >= before) continue
          await this.#abortUpload(must(upload.Key), must(upload.UploadId))
          removed++
        }
        if (!page.IsTruncated) return removed
        cursor = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
      }
    } catch (error) {
      if (isNotImplemented(error)) return removed
      throw unavailable('remove unfinished uploads', error)
    }
  }

  async check(): Promise<void> {
    try {
      await this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket }), {
        abortSignal: AbortSignal.timeout(checkTimeoutMs),
      })
    } catch (error) {
      throw unavailable('check', error)
    }
  }

  // oxlint-disable-next-line typescript/require-await -- The contract is asynchronous.
  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy()
    this.#signer?.destroy()
  }

  /** Returns whether the store knows how; one that does not is never asked again. */
  async #deleteInBulk(keys: readonly string[]): Promise<boolean> {
    try {
      const output = await this.#client.send(
        new DeleteObjectsCommand({
          Bucket: this.#bucket,
          Delete: { Quiet: true, Objects: keys.map((Key) => ({ Key })) },
        }),
      )
      const failed = output.Errors?.find((entry) => entry.Code !== 'NoSuchKey')
      if (failed) throw new Error(`${failed.Code ?? 'Error'}: ${failed.Message ?? ''}`)
      return true
    } catch (error) {
      if (!isNotImplemented(error)) throw unavailable('delete', error)
      this.#hasBulkDelete = false
      return false
    }
  }

  async #abortUpload(key: string, uploadId: string): Promise<void> {
    try {
      await this.#client.send(
        new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key: key, UploadId: uploadId }),
      )
    } catch (error) {
      if (statusOf(error) !== 404) throw error
    }
  }
}

function clientConfig(options: S3BlobStoreOptions): S3ClientConfig {
  return {
    region: options.region ?? 'us-east-1',
    forcePathStyle: options.forcePathStyle ?? options.endpoint !== undefined,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: options.attemptsMax ?? requestAttemptsMax,
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      requestTimeout: options.requestTimeoutMs ?? requestTimeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: idleTimeoutMs,
      httpAgent: { keepAlive: true, maxSockets: connectionsMax },
      httpsAgent: { keepAlive: true, maxSockets: connectionsMax },
    },
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  }
}

function addContentMd5(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const { request } = args
      if (context.commandName === 'DeleteObjectsCommand' && isTextRequest(request)) {
        request.headers['content-md5'] = createHash('md5').update(request.body).digest('base64')
      }
      return next(args)
    },
    { step: 'build', name: 'contentMd5ForDeleteObjects' },
  )
}

function isTextRequest(value: unknown): value is { headers: Record<string, string>; body: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'headers' in value &&
    'body' in value &&
    typeof value.body === 'string'
  )
}

function unavailable(operation: string, cause: unknown): BlobStoreUnavailableError {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
  return new BlobStoreUnavailableError(`object store cannot ${operation}: ${reason}`, { cause })
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined
}

/** A missing bucket is also a 404, but a mistake of the set-up: it must not look like a missing object. */
function isMissingObject(error: unknown): boolean {
  const name = error instanceof Error ? error.name : ''
  return name === 'NoSuchKey' || (statusOf(error) === 404 && name !== 'NoSuchBucket')
}

function isNotImplemented(error: unknown): boolean {
  const name = error instanceof Error ? error.name : ''
  return name === 'NotImplemented' || name === 'MethodNotAllowed' || statusOf(error) === 501
}
