import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import {
  CreateMultipartUploadCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import {
  type S3BlobStoreOptions,
  BlobObjectNotFoundError,
  BlobStoreUnavailableError,
  S3BlobStore,
  blobKey,
  partBytes,
} from '@rookery/blobs'
import { type S3Emulator, startS3Emulator } from '@rookery/local'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const hourMs = 3_600_000
const key = blobKey({ hostId: 1, accountId: 1, name: 'aaaaaaaaaa' })

let dir: string
let emulator: S3Emulator

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rookery-s3-'))
  emulator = await startS3Emulator({ dir })
})
afterAll(async () => {
  await emulator[Symbol.asyncDispose]()
  await rm(dir, { recursive: true })
})

function openStore(options: Partial<S3BlobStoreOptions> = {}): S3BlobStore {
  const { endpoint, bucket, accessKey, secretKey } = emulator
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey }
  return new S3BlobStore({ endpoint, bucket, credentials, ...options })
}

function bytes(size: number): Readable {
  return Readable.from([randomBytes(size)])
}

function openClient(): S3Client {
  const { endpoint, region, accessKey, secretKey } = emulator
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey }
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true })
}

describe('S3BlobStore', () => {
  test.for([
    ['a wrong secret key', { credentials: { accessKeyId: 'rookery', secretAccessKey: 'wrong' } }],
    ['an unknown access key', { credentials: { accessKeyId: 'nobody', secretAccessKey: 'rookery-secret' } }],
    ['a bucket that is not there', { bucket: 'elsewhere' }],
    ['an endpoint where nobody listens', { endpoint: 'http://127.0.0.1:1', attemptsMax: 1 }],
  ] as const)('takes %s for an outage, not for a missing object', async ([, options]) => {
    await using store = openStore(options)
    await expect(store.check()).rejects.toBeInstanceOf(BlobStoreUnavailableError)
    await expect(store.get(key)).rejects.toBeInstanceOf(BlobStoreUnavailableError)
    await expect(store.put(key, bytes(10))).rejects.toBeInstanceOf(BlobStoreUnavailableError)
    await expect(store.delete(key)).rejects.toBeInstanceOf(BlobStoreUnavailableError)
    await expect(store.deleteMany([key])).rejects.toBeInstanceOf(BlobStoreUnavailableError)
    await expect(store.list({ prefix: '' })).rejects.toBeInstanceOf(BlobStoreUnavailableError)
    await expect(store.removeUnfinished(new Date())).rejects.toBeInstanceOf(BlobStoreUnavailableError)
  })

  test('tells callers when to try again', async () => {
    await using store = openStore({ attemptsMax: 1 })
    using _fault = emulator.inject({ kind: 'error', status: 503, code: 'SlowDown' })
    await expect(store.get(key)).rejects.toMatchObject({ code: 'BlobStoreUnavailable', retryAfterMs: 5_000 })
  })

  test.for(['refuse', 'error'] as const)('outlives a request that fails once by %s', async (kind) => {
    await using store = openStore()
    const once = { times: 1, ...(kind === 'error' ? { kind, status: 500, code: 'InternalError' } : { kind }) }
    for (const operation of ['PutObject', 'GetObject', 'HeadObject', 'DeleteObject'] as const) {
      emulator.inject({ ...once, operation })
    }
    expect(await store.put(key, bytes(1_000))).toBe(1_000)
    const { body } = await store.get(key)
    expect((await buffer(body)).length).toBe(1_000)
    expect(await store.head(key)).toMatchObject({ size: 1_000 })
    await store.delete(key)
    await expect(store.get(key)).rejects.toBeInstanceOf(BlobObjectNotFoundError)
  })

  test('gives up on a store that does not answer in time', async () => {
    await using store = openStore({ requestTimeoutMs: 100, attemptsMax: 1 })
    using _fault = emulator.inject({ kind: 'slow', delayMs: 1_000 })
    await expect(store.head(key)).rejects.toBeInstanceOf(BlobStoreUnavailableError)
    await expect(store.put(key, bytes(10))).rejects.toBeInstanceOf(BlobStoreUnavailableError)
  })

  test('fails the body when the connection drops in the middle', async () => {
    await using store = openStore()
    await store.put(key, bytes(300_000))
    using _fault = emulator.inject({ operation: 'GetObject', kind: 'drop', afterBytes: 70_000 })
    const { body } = await store.get(key)
    await expect(buffer(body)).rejects.toMatchObject({ code: 'ECONNRESET' })
    await store.delete(key)
  })

  test.for(['UploadPart', 'CompleteMultipartUpload'] as const)(
    'leaves no parts behind when %s fails',
    async (operation) => {
      await using store = openStore({ attemptsMax: 1 })
      using _fault = emulator.inject({ operation, kind: 'error', status: 503, code: 'SlowDown' })
      const source = bytes(partBytes + 10)
      await expect(store.put(key, source)).rejects.toBeInstanceOf(BlobStoreUnavailableError)
      expect(source.destroyed).toBe(true)
      expect(await store.head(key)).toBeUndefined()
      expect(await store.removeUnfinished(new Date(Date.now() + hourMs))).toBe(0)
    },
  )

  test('clears up uploads that a dead process left, but only old ones', async () => {
    await using store = openStore()
    const client = openClient()
    const input = { Bucket: emulator.bucket, Key: key }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(input))
    await client.send(new UploadPartCommand({ ...input, UploadId, PartNumber: 1, Body: randomBytes(10) }))
    expect(await store.removeUnfinished(new Date(Date.now() - hourMs))).toBe(0)
    expect(await store.removeUnfinished(new Date(Date.now() + hourMs))).toBe(1)
    expect(await store.removeUnfinished(new Date(Date.now() + hourMs))).toBe(0)
    client.destroy()
  })

  test('deletes one by one where the store has no bulk deletion', async () => {
    await using store = openStore()
    const keys = Array.from({ length: 20 }, (_, i) =>
      blobKey({ hostId: 2, accountId: 1, name: `bulk000000${i}` }),
    )
    await Promise.all(keys.map((one) => store.put(one, bytes(10))))
    emulator.inject({
      operation: 'DeleteObjects',
      kind: 'error',
      status: 501,
      code: 'NotImplemented',
      times: 1,
    })
    await store.deleteMany(keys.slice(0, 10))
    await store.deleteMany(keys.slice(10))
    expect(await store.list({ prefix: '2/1/' })).toEqual([])
  })

  test('reads what another client stored with a trailing checksum', async () => {
    await using store = openStore()
    const client = openClient()
    const content = randomBytes(200_000)
    await client.send(
      new PutObjectCommand({
        Bucket: emulator.bucket,
        Key: key,
        Body: Readable.from([content.subarray(0, 100_001), content.subarray(100_001)]),
        ContentLength: content.length,
        ChecksumAlgorithm: 'CRC32',
      }),
    )
    client.destroy()
    const { body } = await store.get(key)
    expect(Buffer.compare(await buffer(body), content)).toBe(0)
    await store.delete(key)
  })
})
