import { hash } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'

import { type TestBlobStore, createTestBlobStore } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ImportAbortedError, ImportTooLargeError } from '../errors.ts'
import { type ImportUpload, type UploadedImport, uploadImport } from './upload-import.ts'

let blobs: TestBlobStore
beforeAll(async () => {
  blobs = await createTestBlobStore('disk')
})
afterAll(() => blobs[Symbol.asyncDispose]())

const upload = (body: Readable, change: Partial<ImportUpload> = {}): Promise<UploadedImport> =>
  uploadImport(blobs.store, { hostId: 1, accountId: 2, body, bytesMax: 1_000, ...change })

const objects = async (): Promise<number> => (await blobs.store.list({ prefix: '1/2/' })).length

describe('uploadImport', () => {
  test('keeps what came, up to the limit', async () => {
    const { objectKey: key, digest } = await upload(
      Readable.from([Buffer.alloc(600, 1), Buffer.alloc(400, 2)]),
      { length: 1_000 },
    )
    const { body, size } = await blobs.store.get(key)
    expect(size).toBe(1_000)
    expect(digest).toBe(hash('sha256', Buffer.concat([Buffer.alloc(600, 1), Buffer.alloc(400, 2)])))
    expect(Buffer.concat(await body.toArray())).toEqual(
      Buffer.concat([Buffer.alloc(600, 1), Buffer.alloc(400, 2)]),
    )
    await blobs.store.delete(key)
  })

  test('refuses more than the limit, whether it is announced or not', async () => {
    const body = Readable.from([Buffer.alloc(1)])
    await expect(upload(body, { length: 1_001 })).rejects.toThrow(ImportTooLargeError)
    expect(body.readableDidRead).toBe(false)
    await expect(upload(Readable.from([Buffer.alloc(600), Buffer.alloc(401)]))).rejects.toThrow(
      ImportTooLargeError,
    )
    expect(await objects()).toBe(0)
  })

  test('keeps nothing of an upload that breaks off, takes too long or is not as long as announced', async () => {
    const broken = new PassThrough()
    broken.write(Buffer.alloc(10))
    const waiting = upload(broken)
    broken.destroy()
    await expect(waiting).rejects.toThrow(ImportAbortedError)
    const endless = new PassThrough()
    endless.write(Buffer.alloc(10))
    await expect(upload(endless, { timeoutMs: 20 })).rejects.toThrow(ImportAbortedError)
    await expect(upload(Readable.from([Buffer.alloc(10)]), { length: 11 })).rejects.toThrow('instead of 11')
    expect(await objects()).toBe(0)
  })
})
