import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type S3Emulator, startS3Emulator } from './start-s3-emulator.ts'

let dir: string
let emulator: S3Emulator
let client: S3Client

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rookery-s3-'))
  emulator = await startS3Emulator({ dir })
  client = openClient()
})
afterAll(async () => {
  client.destroy()
  await emulator[Symbol.asyncDispose]()
  await rm(dir, { recursive: true })
})

function openClient(options: S3ClientConfig = {}): S3Client {
  const { endpoint, region, accessKey, secretKey } = emulator
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey }
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1, ...options })
}

describe('startS3Emulator', () => {
  test('keeps objects under any key, and their types, between starts', async () => {
    const keys = ['plain', 'with space', 'ünï/cödé', 'a+b&c=d?e#f%20', 'quotes\'"<>', 'x'.repeat(900)]
    for (const Key of keys) {
      await client.send(
        new PutObjectCommand({ Bucket: emulator.bucket, Key, Body: Key, ContentType: 'text/x-test' }),
      )
    }
    await emulator[Symbol.asyncDispose]()
    client.destroy()
    emulator = await startS3Emulator({ dir })
    client = openClient()
    for (const Key of keys) {
      const output = await client.send(new GetObjectCommand({ Bucket: emulator.bucket, Key }))
      expect(await output.Body?.transformToString()).toBe(Key)
      expect(output.ContentType).toBe('text/x-test')
    }
    const listed = await client.send(new ListObjectsV2Command({ Bucket: emulator.bucket }))
    expect(listed.Contents?.map((entry) => entry.Key)).toEqual(
      keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    )
  })

  test('pages listings by token', async () => {
    await client.send(new CreateBucketCommand({ Bucket: 'pages' }))
    for (let n = 0; n < 5; n++) {
      await client.send(new PutObjectCommand({ Bucket: 'pages', Key: `k${n}`, Body: `${n}` }))
    }
    const first = await client.send(new ListObjectsV2Command({ Bucket: 'pages', MaxKeys: 3 }))
    expect(first).toMatchObject({ IsTruncated: true, KeyCount: 3 })
    const rest = await client.send(
      new ListObjectsV2Command({ Bucket: 'pages', ContinuationToken: first.NextContinuationToken }),
    )
    expect(rest).toMatchObject({ IsTruncated: false, Contents: [{ Key: 'k3' }, { Key: 'k4' }] })
  })

  test('makes and removes buckets, but none with objects', async () => {
    await client.send(new CreateBucketCommand({ Bucket: 'second' }))
    const { Buckets } = await client.send(new ListBucketsCommand())
    expect(Buckets?.map((bucket) => bucket.Name)).toContain('second')
    await expect(client.send(new CreateBucketCommand({ Bucket: 'second' }))).rejects.toMatchObject({
      name: 'BucketAlreadyOwnedByYou',
    })
    await expect(client.send(new DeleteBucketCommand({ Bucket: emulator.bucket }))).rejects.toMatchObject({
      name: 'BucketNotEmpty',
    })
    await client.send(new DeleteBucketCommand({ Bucket: 'second' }))
  })

  test('refuses a wrong key, an unsigned request and a wrong clock with 403', async () => {
    const wrong = openClient({ credentials: { accessKeyId: emulator.accessKey, secretAccessKey: 'wrong' } })
    const head = new HeadObjectCommand({ Bucket: emulator.bucket, Key: 'plain' })
    await expect(wrong.send(head)).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } })
    const get = new GetObjectCommand({ Bucket: emulator.bucket, Key: 'plain' })
    await expect(wrong.send(get)).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' })
    const late = openClient({ systemClockOffset: -3_600_000, maxAttempts: 1 })
    await expect(late.send(get)).rejects.toMatchObject({ name: 'RequestTimeTooSkewed' })
    const unsigned = await fetch(`${emulator.endpoint}/${emulator.bucket}/plain`)
    expect(unsigned.status).toBe(403)
    expect(await unsigned.text()).toContain('<Code>AccessDenied</Code>')
  })

  test.for(['CRC32', 'SHA1', 'SHA256'] as const)(
    'verifies %s checksums, also in a trailer',
    async (algorithm) => {
      for (const Body of ['whole', Readable.from([Buffer.from('in '), Buffer.from('parts')])]) {
        const length = typeof Body === 'string' ? {} : { ContentLength: 8 }
        await client.send(
          new PutObjectCommand({
            Bucket: emulator.bucket,
            Key: 'checked',
            Body,
            ...length,
            ChecksumAlgorithm: algorithm,
          }),
        )
      }
      const output = await client.send(new GetObjectCommand({ Bucket: emulator.bucket, Key: 'checked' }))
      expect(await output.Body?.transformToString()).toBe('in parts')
    },
  )

  test('refuses a body that is not the one of its checksum, and keeps the old object', async () => {
    const input = { Bucket: emulator.bucket, Key: 'checked' }
    await client.send(new PutObjectCommand({ ...input, Body: 'good' }))
    await expect(
      client.send(new PutObjectCommand({ ...input, Body: 'bad', ChecksumCRC32: 'AAAAAA==' })),
    ).rejects.toMatchObject({ name: 'BadDigest' })
    const md5 = new PutObjectCommand({ ...input, Body: 'bad', ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' })
    await expect(client.send(md5)).rejects.toMatchObject({ name: 'BadDigest' })
    const output = await client.send(new GetObjectCommand(input))
    expect(await output.Body?.transformToString()).toBe('good')
  })

  test('answers what it does not know with 501', async () => {
    const list = new ListObjectsV2Command({ Bucket: emulator.bucket, Delimiter: '/' })
    await expect(client.send(list)).rejects.toMatchObject({ name: 'NotImplemented' })
  })
})
