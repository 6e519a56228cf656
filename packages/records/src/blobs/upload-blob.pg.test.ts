import { createHash, randomBytes } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import { AccountNotFoundError } from '@rookery/accounts'
import { BlobStoreUnavailableError } from '@rookery/blobs'
import { cidForRawDigest, cidToString } from '@rookery/syntax'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type BlobFixture, openBlobFixture, png } from '../../test-support/blob-fixture.ts'
import { checkBlobRefs } from './check-blob-refs.ts'
import { collectOrphanObjects } from './collect-blobs.ts'
import {
  BlobLengthError,
  BlobMimeTypeError,
  BlobNotFoundError,
  BlobSizeError,
  BlobTakenDownError,
  BlobTooLargeError,
  BlobUploadAbortedError,
  BlobUploadTimeoutError,
} from './errors.ts'
import { listBlobs, listMissingBlobs } from './list-queries.ts'
import { getServableBlob, openBlob } from './open-blob.ts'
import { uploadBlob } from './upload-blob.ts'

const dayMs = 86_400_000

function cidOf(bytes: Uint8Array) {
  return cidForRawDigest(createHash('sha256').update(bytes).digest())
}

describe.each(['disk', 's3'] as const)('uploadBlob on %s', (driver) => {
  let fixture: BlobFixture
  beforeAll(async () => {
    fixture = await openBlobFixture(driver)
  })
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]()
  })

  // SPEC BL-2
  test('stores bytes as a temporary blob under their CID and sniffed type', async () => {
    const accountId = await fixture.createAccount()
    const blob = await fixture.upload(accountId, png, 'text/plain')
    expect(blob).toEqual({ cid: cidOf(png), mimeType: 'image/png', size: png.length })
    const row = await fixture.row(accountId, blob.cid)
    expect(row).toMatchObject({ state: 'temporary', ref_count: 0, mime_type: 'image/png', size: png.length })
    expect(row?.['unreferenced_at']).toBeInstanceOf(Date)
    expect(await fixture.objects(accountId)).toEqual([row?.['object_key']])
    expect(await fixture.usage(accountId)).toEqual({ blob_bytes: png.length, blob_count: 1 })
    await expect(getServableBlob(fixture.pool, accountId, blob.cid)).rejects.toBeInstanceOf(BlobNotFoundError)
  })

  test.for([
    ['text/plain; charset=utf-8', 'text/plain'],
    ['IMAGE/X-Something', 'image/x-something'],
    ['nonsense', 'application/octet-stream'],
    ['text/html\r\nset-cookie: a=b', 'application/octet-stream'],
    [undefined, 'application/octet-stream'],
  ] as const)('keeps the declared type %j as %s when the bytes show none', async ([declared, expected]) => {
    const accountId = await fixture.createAccount()
    const body = Readable.from([Buffer.from('just text')])
    const input = { hostId: fixture.hostId, accountId, body, mimeType: declared, bytesMax: 100 }
    expect(await uploadBlob(fixture.deps, input)).toMatchObject({ mimeType: expected, size: 9 })
  })

  test('takes an empty blob', async () => {
    const accountId = await fixture.createAccount()
    const body = Readable.from([])
    const blob = await uploadBlob(fixture.deps, { hostId: fixture.hostId, accountId, body, bytesMax: 100 })
    expect(cidToString(blob.cid)).toBe('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
    expect(blob.size).toBe(0)
  })

  // SPEC BL-1
  test('takes a blob of exactly the limit and none larger', async () => {
    const accountId = await fixture.createAccount()
    const input = { hostId: fixture.hostId, accountId, bytesMax: 100_000 }
    const fits = uploadBlob(fixture.deps, { ...input, body: Readable.from([randomBytes(100_000)]) })
    await expect(fits).resolves.toMatchObject({ size: 100_000 })
    const body = Readable.from([randomBytes(60_000), randomBytes(40_001)])
    await expect(uploadBlob(fixture.deps, { ...input, body })).rejects.toBeInstanceOf(BlobTooLargeError)
    const declared = new PassThrough()
    const early = uploadBlob(fixture.deps, { ...input, body: declared, length: 100_001 })
    await expect(early).rejects.toBeInstanceOf(BlobTooLargeError)
    expect(declared.destroyed).toBe(false)
    expect(await fixture.objects(accountId)).toHaveLength(1)
    expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 100_000, blob_count: 1 })
  })

  test('does not destroy a body that it refuses', async () => {
    const accountId = await fixture.createAccount()
    const body = new PassThrough()
    body.write(Buffer.alloc(200))
    const done = uploadBlob(fixture.deps, { hostId: fixture.hostId, accountId, body, bytesMax: 100 })
    await expect(done).rejects.toBeInstanceOf(BlobTooLargeError)
    expect(body.destroyed).toBe(false)
  })

  // SPEC BL-1
  test('refuses a body that is not of its declared length', async () => {
    const accountId = await fixture.createAccount()
    for (const length of [4, 6]) {
      const body = Readable.from([Buffer.from('12345')])
      const done = uploadBlob(fixture.deps, {
        hostId: fixture.hostId,
        accountId,
        body,
        length,
        bytesMax: 100,
      })
      await expect(done).rejects.toBeInstanceOf(BlobLengthError)
    }
    expect(await fixture.objects(accountId)).toEqual([])
  })

  test('leaves nothing when the client goes away', async () => {
    const accountId = await fixture.createAccount()
    const body = new PassThrough()
    body.write(Buffer.alloc(50))
    const done = uploadBlob(fixture.deps, { hostId: fixture.hostId, accountId, body, bytesMax: 100 })
    setImmediate(() => body.destroy(new Error('ECONNRESET')))
    await expect(done).rejects.toBeInstanceOf(BlobUploadAbortedError)
    expect(await fixture.objects(accountId)).toEqual([])
    expect(await fixture.usage(accountId)).toBeUndefined()
  })

  test('leaves nothing when the client stalls', async () => {
    const accountId = await fixture.createAccount()
    const body = new PassThrough()
    body.write(Buffer.alloc(50))
    const input = { hostId: fixture.hostId, accountId, body, bytesMax: 100, timeoutMs: 50 }
    await expect(uploadBlob(fixture.deps, input)).rejects.toBeInstanceOf(BlobUploadTimeoutError)
    expect(body.destroyed).toBe(false)
    expect(await fixture.objects(accountId)).toEqual([])
  })

  test('keeps the first row and object when the same bytes come again', async () => {
    const accountId = await fixture.createAccount()
    const bytes = Buffer.from('again')
    const first = await fixture.upload(accountId, bytes, 'text/first')
    await fixture.age(accountId, dayMs)
    const before = await fixture.row(accountId, first.cid)
    expect(await fixture.upload(accountId, bytes, 'text/second')).toEqual(first)
    const after = await fixture.row(accountId, first.cid)
    expect(after).toEqual({ ...before, unreferenced_at: after?.['unreferenced_at'] })
    expect(Number(after?.['unreferenced_at'])).toBeGreaterThan(Number(before?.['unreferenced_at']))
    expect(await fixture.objects(accountId)).toEqual([before?.['object_key']])
    expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 5, blob_count: 1 })
  })

  // SPEC BL-8
  test('leaves a permanent blob as it is when its bytes come again', async () => {
    const accountId = await fixture.createAccount()
    const { cid } = await fixture.upload(accountId, png)
    expect(await fixture.addRef({ accountId, cid, rkey: 'a' })).toBeDefined()
    const before = await fixture.row(accountId, cid)
    await fixture.upload(accountId, png)
    expect(await fixture.row(accountId, cid)).toEqual(before)
    expect(before).toMatchObject({ state: 'permanent', ref_count: 1, unreferenced_at: null })
  })

  test('stores one row and one object when the same bytes come many times at once', async () => {
    const accountId = await fixture.createAccount()
    const bytes = randomBytes(10_000)
    const blobs = await Promise.all(Array.from({ length: 12 }, () => fixture.upload(accountId, bytes)))
    expect(new Set(blobs.map((blob) => cidToString(blob.cid))).size).toBe(1)
    expect(await fixture.objects(accountId)).toHaveLength(1)
    expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 10_000, blob_count: 1 })
  })

  // SPEC BL-7
  test('keeps accounts apart', async () => {
    const [one, two] = [await fixture.createAccount(), await fixture.createAccount()]
    const { cid } = await fixture.upload(one, png)
    await fixture.addRef({ accountId: one, cid, rkey: 'a' })
    await expect(getServableBlob(fixture.pool, two, cid)).rejects.toBeInstanceOf(BlobNotFoundError)
    await expect(
      checkBlobRefs(fixture.pool, two, [{ cid, mimeType: 'image/png', size: png.length }]),
    ).rejects.toBeInstanceOf(BlobNotFoundError)
    await fixture.upload(two, png)
    expect(await fixture.objects(one)).not.toEqual(await fixture.objects(two))
  })

  test('refuses what was taken down', async () => {
    const accountId = await fixture.createAccount()
    const { cid } = await fixture.upload(accountId, png)
    await fixture.pool.query(
      `update blob set state = 'quarantined', takedown_ref = 'case-1' where account_id = $1`,
      [accountId],
    )
    const before = await fixture.row(accountId, cid)
    await expect(fixture.upload(accountId, png)).rejects.toBeInstanceOf(BlobTakenDownError)
    expect(await fixture.row(accountId, cid)).toEqual(before)
    expect(await fixture.objects(accountId)).toHaveLength(1)
  })

  test('makes a blob permanent at once when imported records refer to it', async () => {
    const accountId = await fixture.createAccount()
    const bytes = randomBytes(100)
    const cid = cidOf(bytes)
    for (const rkey of ['b', 'a']) await fixture.importRef({ accountId, cid, rkey })
    const missing = await listMissingBlobs(fixture.pool, accountId, { limit: 10 })
    expect(missing).toEqual([{ cid, collection: 'app.bsky.feed.post', rkey: 'a' }])
    await fixture.upload(accountId, bytes)
    expect(await fixture.row(accountId, cid)).toMatchObject({
      state: 'permanent',
      ref_count: 2,
      unreferenced_at: null,
    })
    expect(await listMissingBlobs(fixture.pool, accountId, { limit: 10 })).toEqual([])
    const blob = await getServableBlob(fixture.pool, accountId, cid)
    const { body } = await openBlob(fixture.store, blob)
    expect(Buffer.compare(await buffer(body), bytes)).toBe(0)
  })

  test('counts every reference of imports that run beside it', async () => {
    const accountId = await fixture.createAccount()
    for (let round = 0; round < 10; round++) {
      const bytes = randomBytes(100)
      const cid = cidOf(bytes)
      await Promise.all([
        fixture.upload(accountId, bytes),
        ...['a', 'b', 'c'].map((name) => fixture.importRef({ accountId, cid, rkey: `${name}${round}` })),
      ])
      expect(await fixture.row(accountId, cid)).toMatchObject({ state: 'permanent', ref_count: 3 })
    }
  })

  test('refuses, and leaves nothing, when the account was deleted meanwhile', async () => {
    const accountId = await fixture.createAccount()
    await fixture.pool.query('delete from account where id = $1', [accountId])
    await expect(fixture.upload(accountId, png)).rejects.toBeInstanceOf(AccountNotFoundError)
    expect(await fixture.objects(accountId)).toEqual([])
  })

  test('leaves an object without a row to the collector when the database is gone', async () => {
    const accountId = await fixture.createAccount()
    const broken = {
      query: () => Promise.reject(new Error('connection lost')),
      connect: () => Promise.reject(new Error('connection lost')),
    }
    const pool = Object.assign(Object.create(fixture.pool), broken)
    const body = Readable.from([png])
    const input = { hostId: fixture.hostId, accountId, body, bytesMax: 1_000 }
    await expect(uploadBlob({ ...fixture.deps, pool }, input)).rejects.toMatchObject({
      message: 'connection lost',
    })
    expect(await fixture.objects(accountId)).toHaveLength(1)
    const now = new Date(Date.now() + 2 * dayMs)
    await collectOrphanObjects(fixture.deps, { now })
    expect(await fixture.objects(accountId)).toEqual([])
  })

  test('keeps the object when the answer to its commit got lost', async () => {
    const accountId = await fixture.createAccount()
    let lost = false
    const query = async (input: { name: string; text: string; values: unknown[] }) => {
      const result = await fixture.pool.query(input)
      if (input.name !== 'blob_store') return result
      lost = true
      throw new Error('connection lost')
    }
    const pool = Object.assign(Object.create(fixture.pool), { query })
    const body = Readable.from([png])
    const input = { hostId: fixture.hostId, accountId, body, bytesMax: 1_000 }
    await expect(uploadBlob({ ...fixture.deps, pool }, input)).rejects.toMatchObject({
      message: 'connection lost',
    })
    expect(lost).toBe(true)
    const row = await fixture.row(accountId, cidOf(png))
    expect(await fixture.objects(accountId)).toEqual([row?.['object_key']])
  })

  test('checks each reference for being there, its type and its size', async () => {
    const accountId = await fixture.createAccount()
    const { cid, mimeType, size } = await fixture.upload(accountId, png)
    const check = (claim: object) =>
      checkBlobRefs(fixture.pool, accountId, [{ cid, mimeType, size, ...claim }])
    for (const rkey of ['a', 'b']) {
      await expect(check({})).resolves.toBeUndefined()
      await expect(check({ mimeType: 'image/jpeg' })).rejects.toBeInstanceOf(BlobMimeTypeError)
      await expect(check({ size: size + 1 })).rejects.toBeInstanceOf(BlobSizeError)
      await expect(check({ cid: cidOf(randomBytes(8)) })).rejects.toBeInstanceOf(BlobNotFoundError)
      await fixture.addRef({ accountId, cid, rkey })
    }
    await fixture.pool.query(`update blob set takedown_ref = 'x' where account_id = $1`, [accountId])
    await expect(check({})).rejects.toBeInstanceOf(BlobNotFoundError)
  })

  // SPEC BL-14
  test('lists permanent blobs by CID, in pages and since a rev', async () => {
    const accountId = await fixture.createAccount()
    const blobs = await Promise.all([1, 2, 3].map(() => fixture.upload(accountId, randomBytes(50))))
    const revs: (string | undefined)[] = []
    for (const [i, { cid }] of blobs.entries()) {
      await fixture.addRef({ accountId, cid, rkey: `a${i}` })
      const commit = await fixture.addRef({ accountId, cid, rkey: `b${i}` })
      revs.push(commit?.rev)
    }
    await fixture.upload(accountId, randomBytes(50))
    const byCid = blobs.map((blob) => blob.cid).toSorted((a, b) => Buffer.compare(a, b))
    const names = (cids: Uint8Array[]) => cids.map((cid) => cidToString(cid))
    expect(names(await listBlobs(fixture.pool, accountId, { limit: 10 }))).toEqual(names(byCid))
    const first = await listBlobs(fixture.pool, accountId, { limit: 2 })
    expect(names(first)).toEqual(names(byCid.slice(0, 2)))
    const rest = await listBlobs(fixture.pool, accountId, { limit: 2, cursor: first[1] })
    expect(names(rest)).toEqual(names(byCid.slice(2)))
    const later = await listBlobs(fixture.pool, accountId, { limit: 10, since: revs[0] })
    expect(new Set(names(later))).toEqual(new Set(names(blobs.slice(1).map((blob) => blob.cid))))
    await fixture.pool.query(`update blob set takedown_ref = 'x' where account_id = $1`, [accountId])
    expect(await listBlobs(fixture.pool, accountId, { limit: 10 })).toEqual([])
  })
})

describe('an outage of the store', () => {
  let fixture: BlobFixture
  beforeAll(async () => {
    fixture = await openBlobFixture('s3')
  })
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]()
  })

  test('refuses an upload and leaves no row', async () => {
    const accountId = await fixture.createAccount()
    using _outage = fixture.inject({ kind: 'refuse' })
    await expect(fixture.upload(accountId, png)).rejects.toBeInstanceOf(BlobStoreUnavailableError)
    expect(await fixture.row(accountId, cidOf(png))).toBeUndefined()
  })

  test('does not turn a served blob into a missing one', async () => {
    const accountId = await fixture.createAccount()
    const { cid } = await fixture.upload(accountId, png)
    await fixture.addRef({ accountId, cid, rkey: 'a' })
    const blob = await getServableBlob(fixture.pool, accountId, cid)
    using _outage = fixture.inject({ kind: 'refuse' })
    await expect(openBlob(fixture.store, blob)).rejects.toBeInstanceOf(BlobStoreUnavailableError)
  })

  test('does not fail an upload whose bytes are there already', async () => {
    const accountId = await fixture.createAccount()
    const first = await fixture.upload(accountId, png)
    using _outage = fixture.inject({ kind: 'refuse', operation: 'DeleteObject' })
    expect(await fixture.upload(accountId, png)).toEqual(first)
    expect(await fixture.objects(accountId)).toHaveLength(2)
  })
})
