import { randomBytes } from 'node:crypto'

import { BlobStoreUnavailableError, blobKey } from '@rookery/blobs'
import { AssertionError, dayMs, hourMs, minuteMs } from '@rookery/std'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Readable } from 'node:stream'

import { type BlobFixture, openBlobFixture } from '../../test-support/blob-fixture.ts'
import { collectBlobs, collectOrphanObjects, deleteAccountBlobs } from './collect-blobs.ts'

describe.each(['disk', 's3'] as const)('the collector on %s', (driver) => {
  let fixture: BlobFixture
  beforeAll(async () => {
    fixture = await openBlobFixture(driver)
  })
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]()
  })

  test('deletes temporary blobs past their age, and only those', async () => {
    const accountId = await fixture.createAccount()
    const old = await fixture.upload(accountId, randomBytes(100))
    await fixture.age(accountId, 6 * hourMs + minuteMs)
    const young = await fixture.upload(accountId, randomBytes(100))
    const kept = await fixture.upload(accountId, randomBytes(100))
    await fixture.addRef({ accountId, cid: kept.cid, rkey: 'a' })
    expect(await collectBlobs(fixture.deps)).toEqual({ deleted: 1, isDone: true })
    expect(await fixture.row(accountId, old.cid)).toBeUndefined()
    expect(await fixture.row(accountId, young.cid)).toMatchObject({ state: 'temporary' })
    expect(await fixture.row(accountId, kept.cid)).toMatchObject({ state: 'permanent' })
    expect(await fixture.objects(accountId)).toHaveLength(2)
    expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 200, blob_count: 2 })
    expect(await collectBlobs(fixture.deps)).toEqual({ deleted: 0, isDone: true })
  })

  test('keeps a blob for its grace after the last reference went, and for good when it comes back', async () => {
    const accountId = await fixture.createAccount()
    const { cid } = await fixture.upload(accountId, randomBytes(100))
    for (const rkey of ['a', 'b']) await fixture.addRef({ accountId, cid, rkey })
    await fixture.removeRef({ accountId, rkey: 'a' })
    await fixture.age(accountId, dayMs)
    expect(await collectBlobs(fixture.deps)).toMatchObject({ deleted: 0 })
    await fixture.removeRef({ accountId, rkey: 'b' })
    expect(await collectBlobs(fixture.deps)).toMatchObject({ deleted: 0 })
    await fixture.addRef({ accountId, cid, rkey: 'c' })
    await fixture.age(accountId, dayMs)
    expect(await collectBlobs(fixture.deps)).toMatchObject({ deleted: 0 })
    await fixture.removeRef({ accountId, rkey: 'c' })
    await fixture.age(accountId, hourMs + minuteMs)
    expect(await collectBlobs(fixture.deps)).toMatchObject({ deleted: 1 })
    expect(await fixture.objects(accountId)).toEqual([])
    expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 0, blob_count: 0 })
  })

  test('keeps what was taken down', async () => {
    const accountId = await fixture.createAccount()
    await fixture.upload(accountId, randomBytes(100))
    await fixture.pool.query(
      `update blob set state = 'quarantined', takedown_ref = 'case-1' where account_id = $1`,
      [accountId],
    )
    await fixture.age(accountId, 30 * dayMs)
    expect(await collectBlobs(fixture.deps)).toMatchObject({ deleted: 0 })
    expect(await fixture.objects(accountId)).toHaveLength(1)
  })

  // SPEC BL-3
  test('refuses to take uploads younger than an hour', async () => {
    await expect(collectBlobs(fixture.deps, { temporaryAgeMs: hourMs - 1 })).rejects.toBeInstanceOf(
      AssertionError,
    )
    await expect(collectBlobs(fixture.deps, { temporaryAgeMs: hourMs })).resolves.toMatchObject({
      deleted: 0,
    })
  })

  test('finishes what a crash after each of its steps left', async () => {
    const accountId = await fixture.createAccount()
    const claimed = await fixture.upload(accountId, randomBytes(100))
    const emptied = await fixture.upload(accountId, randomBytes(100))
    await fixture.pool.query(`update blob set state = 'deleting' where account_id = $1`, [accountId])
    const row = await fixture.row(accountId, emptied.cid)
    await fixture.store.delete(String(row?.['object_key']))
    expect(await collectBlobs(fixture.deps)).toMatchObject({ deleted: 2 })
    expect(await fixture.row(accountId, claimed.cid)).toBeUndefined()
    expect(await fixture.objects(accountId)).toEqual([])
    expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 0, blob_count: 0 })
  })

  test('lets an upload of the same bytes replace what it has given up', async () => {
    const accountId = await fixture.createAccount()
    const bytes = randomBytes(100)
    const { cid } = await fixture.upload(accountId, bytes)
    const before = await fixture.row(accountId, cid)
    await fixture.pool.query(`update blob set state = 'deleting' where account_id = $1`, [accountId])
    await fixture.upload(accountId, bytes)
    expect(await fixture.row(accountId, cid)).toMatchObject({ state: 'temporary', ref_count: 0 })
    expect(await collectBlobs(fixture.deps)).toMatchObject({ deleted: 0 })
    const after = await fixture.row(accountId, cid)
    expect(after?.['object_key']).not.toBe(before?.['object_key'])
    expect(await fixture.objects(accountId)).toContain(after?.['object_key'])
    expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 100, blob_count: 1 })
    const now = new Date(Date.now() + 2 * dayMs)
    expect(await collectOrphanObjects(fixture.deps, { now })).toMatchObject({ deleted: 1 })
    expect(await fixture.objects(accountId)).toEqual([after?.['object_key']])
  })

  test('never deletes a blob that a commit refers to at the same moment', async () => {
    const accountId = await fixture.createAccount()
    for (let round = 0; round < 15; round++) {
      const { cid } = await fixture.upload(accountId, randomBytes(100))
      await fixture.age(accountId, dayMs)
      const [isReferred] = await Promise.all([
        fixture.addRef({ accountId, cid, rkey: `r${round}` }),
        collectBlobs(fixture.deps),
        collectBlobs(fixture.deps),
      ])
      await collectBlobs(fixture.deps)
      const row = await fixture.row(accountId, cid)
      const object = row && (await fixture.store.head(String(row['object_key'])))
      expect({ state: row?.['state'], count: row?.['ref_count'], hasObject: object !== undefined }).toEqual(
        isReferred !== undefined
          ? { state: 'permanent', count: 1, hasObject: true }
          : { state: undefined, count: undefined, hasObject: false },
      )
    }
    const { rows } = await fixture.pool.query(
      `select count(*) as blob_count, coalesce(sum(size), 0)::bigint as blob_bytes from blob
       where account_id = $1`,
      [accountId],
    )
    expect(await fixture.usage(accountId)).toEqual(rows[0])
  })

  test('never loses a blob that is uploaded again at the same moment', async () => {
    const accountId = await fixture.createAccount()
    const bytes = randomBytes(100)
    for (let round = 0; round < 15; round++) {
      const { cid } = await fixture.upload(accountId, bytes)
      await fixture.age(accountId, dayMs)
      await Promise.all([
        fixture.upload(accountId, bytes),
        collectBlobs(fixture.deps),
        fixture.upload(accountId, bytes),
        collectBlobs(fixture.deps),
      ])
      const row = await fixture.row(accountId, cid)
      expect(row).toMatchObject({ state: 'temporary' })
      expect(await fixture.store.head(String(row?.['object_key']))).toBeDefined()
      expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 100, blob_count: 1 })
    }
  })

  test('deletes old objects without a row, page by page, and nothing else', async () => {
    const accountId = await fixture.createAccount()
    await fixture.upload(accountId, randomBytes(100))
    const [known] = await fixture.objects(accountId)
    const orphans = [accountId, 8_888, 9_999].map((id) =>
      blobKey({ hostId: fixture.hostId, accountId: id, name: 'orphan000' }),
    )
    for (const key of orphans) await fixture.store.put(key, Readable.from([Buffer.from('x')]))
    expect(await collectOrphanObjects(fixture.deps)).toMatchObject({ deleted: 0 })
    const now = new Date(Date.now() + dayMs + minuteMs)
    let deleted = 0
    for (let cursor: string | undefined, isDone = false; !isDone;) {
      const step = await collectOrphanObjects(fixture.deps, { now, cursor })
      deleted += step.deleted
      cursor = step.cursor
      isDone = cursor === undefined
    }
    expect(deleted).toBe(3)
    expect(await fixture.objects(accountId)).toEqual([known])
    expect(await fixture.objects(8_888)).toEqual([])
    await expect(collectOrphanObjects(fixture.deps, { orphanAgeMs: hourMs })).rejects.toBeInstanceOf(
      AssertionError,
    )
  })

  test('deletes all of a deleted account and nothing of another', async () => {
    const [gone, other] = [await fixture.createAccount(), await fixture.createAccount()]
    const bytes = randomBytes(100)
    for (const accountId of [gone, other]) {
      const { cid } = await fixture.upload(accountId, bytes)
      await fixture.addRef({ accountId, cid, rkey: 'a' })
      await fixture.upload(accountId, randomBytes(100))
    }
    const account = { hostId: fixture.hostId, accountId: gone }
    await expect(deleteAccountBlobs(fixture.deps, account)).rejects.toBeInstanceOf(AssertionError)
    await fixture.pool.query('delete from account where id = $1', [gone])
    await deleteAccountBlobs(fixture.deps, account)
    await deleteAccountBlobs(fixture.deps, account)
    expect(await fixture.objects(gone)).toEqual([])
    expect(await fixture.objects(other)).toHaveLength(2)
    for (const table of ['blob', 'blob_ref', 'account_usage']) {
      const { rows } = await fixture.pool.query(
        `select distinct account_id from ${table} where account_id = any($1)`,
        [[gone, other]],
      )
      expect(rows).toEqual([{ account_id: other }])
    }
  })
})

describe('the collector in an outage of the store', () => {
  test('stops, and goes on when the store is back', async () => {
    await using fixture = await openBlobFixture('s3')
    const accountId = await fixture.createAccount()
    await fixture.upload(accountId, randomBytes(100))
    await fixture.age(accountId, dayMs)
    {
      using _outage = fixture.inject({ kind: 'error', status: 503, code: 'SlowDown' })
      await expect(collectBlobs(fixture.deps)).rejects.toBeInstanceOf(BlobStoreUnavailableError)
    }
    expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 100, blob_count: 1 })
    expect(await collectBlobs(fixture.deps)).toMatchObject({ deleted: 1 })
    expect(await fixture.objects(accountId)).toEqual([])
    expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 0, blob_count: 0 })
  })
})
