import { randomBytes } from 'node:crypto'

import { dayMs } from '@rookery/std'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type BlobFixture, openBlobFixture } from '../../test-support/blob-fixture.ts'
import { collectBlobs } from './collect-blobs.ts'
import { BlobNotFoundError, BlobTakenDownError } from './errors.ts'
import { listBlobs, listMissingBlobs } from './list-queries.ts'
import { getServableBlob } from './open-blob.ts'
import { findBlobTakedown, restoreBlob, takeDownBlob } from './takedown-queries.ts'

describe('the takedown of a blob', () => {
  let fixture: BlobFixture
  beforeAll(async () => {
    fixture = await openBlobFixture('disk')
  })
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]()
  })

  test('keeps it from everybody, and is lifted again', async () => {
    const { pool } = fixture
    const accountId = await fixture.createAccount()
    const bytes = randomBytes(100)
    const { cid } = await fixture.upload(accountId, bytes)
    await fixture.addRef({ accountId, cid, rkey: 'a' })
    const before = await fixture.row(accountId, cid)
    await takeDownBlob(pool, { accountId, cid, ref: 'case-1' })
    await takeDownBlob(pool, { accountId, cid, ref: 'case-2' })
    expect(await fixture.row(accountId, cid)).toMatchObject({ state: 'quarantined', takedown_ref: 'case-2' })
    expect(await findBlobTakedown(pool, { accountId, cid })).toBe('case-2')
    await expect(getServableBlob(pool, accountId, cid)).rejects.toBeInstanceOf(BlobNotFoundError)
    await expect(fixture.upload(accountId, bytes)).rejects.toBeInstanceOf(BlobTakenDownError)
    expect(await fixture.addRef({ accountId, cid, rkey: 'b' })).toBeUndefined()
    expect(await listBlobs(pool, accountId, { limit: 10 })).toEqual([])
    expect(await listMissingBlobs(pool, accountId, { limit: 10 })).toEqual([])
    await restoreBlob(pool, { accountId, cid })
    await restoreBlob(pool, { accountId, cid })
    expect(await fixture.row(accountId, cid)).toEqual(before)
    expect(await findBlobTakedown(pool, { accountId, cid })).toBeUndefined()
    await expect(getServableBlob(pool, accountId, cid)).resolves.toMatchObject({ size: 100 })
  })

  test('outlasts the records that refer to it, and lifted it gives them time to come back', async () => {
    const { pool } = fixture
    const accountId = await fixture.createAccount()
    const { cid } = await fixture.upload(accountId, randomBytes(100))
    await fixture.addRef({ accountId, cid, rkey: 'a' })
    await takeDownBlob(pool, { accountId, cid, ref: 'case-1' })
    await fixture.removeRef({ accountId, rkey: 'a' })
    await fixture.age(accountId, 30 * dayMs)
    await collectBlobs(fixture.deps)
    expect(await fixture.objects(accountId)).toHaveLength(1)
    await restoreBlob(pool, { accountId, cid })
    await collectBlobs(fixture.deps)
    expect(await fixture.row(accountId, cid)).toMatchObject({ state: 'temporary', ref_count: 0 })
    expect(await fixture.addRef({ accountId, cid, rkey: 'a' })).toBeDefined()
    expect(await fixture.row(accountId, cid)).toMatchObject({ state: 'permanent', unreferenced_at: null })
  })

  test("finds neither an unknown blob nor another account's, nor one that is being deleted", async () => {
    const { pool } = fixture
    const [owner, other] = [await fixture.createAccount(), await fixture.createAccount()]
    const { cid } = await fixture.upload(owner, randomBytes(100))
    const foreign = { accountId: other, cid }
    await expect(takeDownBlob(pool, { ...foreign, ref: 'x' })).rejects.toBeInstanceOf(BlobNotFoundError)
    await expect(restoreBlob(pool, foreign)).rejects.toBeInstanceOf(BlobNotFoundError)
    await expect(findBlobTakedown(pool, foreign)).rejects.toBeInstanceOf(BlobNotFoundError)
    expect(await fixture.row(owner, cid)).toMatchObject({ state: 'temporary', takedown_ref: null })
    await pool.query(`update blob set state = 'deleting' where account_id = $1`, [owner])
    const doomed = { accountId: owner, cid }
    await expect(takeDownBlob(pool, { ...doomed, ref: 'x' })).rejects.toBeInstanceOf(BlobNotFoundError)
    await expect(restoreBlob(pool, doomed)).rejects.toBeInstanceOf(BlobNotFoundError)
  })
})
