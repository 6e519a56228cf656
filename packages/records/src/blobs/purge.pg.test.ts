import { randomBytes } from 'node:crypto'

import { BlobStoreUnavailableError } from '@rookery/blobs'
import { listJobs } from '@rookery/jobs'
import { dayMs, must } from '@rookery/std'
import type { Cid } from '@rookery/syntax'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type BlobFixture, openBlobFixture } from '../../test-support/blob-fixture.ts'
import { collectBlobs, collectOrphanObjects } from './collect-blobs.ts'
import { eraseBlob } from './erase-blob.ts'
import { BlobNotFoundError, BlobPurgedError, BlobTakenDownError } from './errors.ts'
import { listBlobs, listMissingBlobs } from './list-queries.ts'
import { getServableBlob } from './open-blob.ts'
import { getBlobView, purgeBlob } from './purge-queries.ts'
import { findBlobTakedown, restoreBlob, takeDownBlob } from './takedown-queries.ts'
import { findBlobUsage, recountAccountUsage } from './usage-queries.ts'

describe.each(['disk', 's3'] as const)('the purge of a blob on %s', (driver) => {
  let fixture: BlobFixture
  let tenantId: number
  beforeAll(async () => {
    fixture = await openBlobFixture(driver)
    const { rows } = await fixture.pool.query<{ id: number }>(`select id from tenant where slug = 'demo'`)
    tenantId = must(rows[0]).id
  })
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]()
  })

  const purge = (accountId: number, cid: Cid) =>
    purgeBlob(fixture.pool, { hostId: fixture.hostId, tenantId, accountId, cid, ref: 'case-1' })

  test('deletes its bytes and refuses them ever after', async () => {
    const { pool, deps } = fixture
    const accountId = await fixture.createAccount()
    const bytes = randomBytes(100)
    const { cid } = await fixture.upload(accountId, bytes)
    await fixture.addRef({ accountId, cid, rkey: 'a' })
    await purge(accountId, cid)
    await expect(getServableBlob(pool, accountId, cid)).rejects.toBeInstanceOf(BlobNotFoundError)
    expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 100, blob_count: 1 })
    await eraseBlob(deps, { accountId, cid })
    for (let again = 0; again < 2; again++) {
      expect(await fixture.row(accountId, cid)).toMatchObject({ state: 'purged', takedown_ref: 'case-1' })
      expect(await fixture.objects(accountId)).toEqual([])
      expect(await findBlobUsage(pool, accountId)).toMatchObject({ bytes: 0, count: 0 })
      await expect(fixture.upload(accountId, bytes)).rejects.toBeInstanceOf(BlobTakenDownError)
      expect(await fixture.addRef({ accountId, cid, rkey: 'b' })).toBeUndefined()
      expect(await listBlobs(pool, accountId, { limit: 10 })).toEqual([])
      expect(await listMissingBlobs(pool, accountId, { limit: 10 })).toEqual([])
      expect(await findBlobTakedown(pool, { accountId, cid })).toBe('case-1')
      await takeDownBlob(pool, { accountId, cid, ref: 'case-2' })
      await expect(restoreBlob(pool, { accountId, cid })).rejects.toBeInstanceOf(BlobPurgedError)
      expect(await getBlobView(pool, { accountId, cid })).toMatchObject({
        state: 'purged',
        records: ['app.bsky.feed.post/a'],
      })
      await purge(accountId, cid)
      await eraseBlob(deps, { accountId, cid })
      await recountAccountUsage(pool, accountId)
      await collectBlobs(deps)
      await collectOrphanObjects(deps, { now: new Date(Date.now() + 2 * dayMs) })
    }
  })

  test('writes one job, and takes what is temporary, taken down or given up by the collector', async () => {
    const { pool, deps } = fixture
    const accountId = await fixture.createAccount()
    const blobs = [100, 101, 102].map((size) => fixture.upload(accountId, randomBytes(size)))
    const [temporary, down, doomed] = (await Promise.all(blobs)).map(({ cid }) => cid) as [Cid, Cid, Cid]
    await takeDownBlob(pool, { accountId, cid: down, ref: 'case-0' })
    await pool.query(`update blob set state = 'deleting' where account_id = $1 and cid = $2`, [
      accountId,
      doomed,
    ])
    const before = await listJobs(pool)
    for (const cid of [temporary, down, doomed, temporary]) await purge(accountId, cid)
    expect(await listJobs(pool)).toHaveLength(before.length + 3)
    await collectBlobs(deps)
    for (const cid of [temporary, down, doomed]) await eraseBlob(deps, { accountId, cid })
    expect(await fixture.objects(accountId)).toEqual([])
    expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 0, blob_count: 0 })
    expect(await findBlobTakedown(pool, { accountId, cid: down })).toBe('case-0')
    expect(await findBlobTakedown(pool, { accountId, cid: doomed })).toBe('case-1')
  })

  test('is not undone by a collector that had begun to delete the row', async () => {
    const { deps } = fixture
    const accountId = await fixture.createAccount()
    for (let round = 0; round < 10; round++) {
      const { cid } = await fixture.upload(accountId, randomBytes(100))
      await fixture.age(accountId, dayMs)
      const [purged] = await Promise.allSettled([purge(accountId, cid), collectBlobs(deps)])
      await eraseBlob(deps, { accountId, cid })
      await collectBlobs(deps)
      const row = await fixture.row(accountId, cid)
      expect(row?.['state']).toBe(purged.status === 'fulfilled' ? 'purged' : undefined)
      expect(await fixture.objects(accountId)).toEqual([])
      expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 0, blob_count: 0 })
    }
  })

  test("does not know another account's blobs", async () => {
    const [owner, other] = [await fixture.createAccount(), await fixture.createAccount()]
    const { cid } = await fixture.upload(owner, randomBytes(100))
    await expect(purge(other, cid)).rejects.toBeInstanceOf(BlobNotFoundError)
    expect(await fixture.row(owner, cid)).toMatchObject({ state: 'temporary' })
  })
})

test('a purge goes on when the store is back', async () => {
  await using fixture = await openBlobFixture('s3')
  const accountId = await fixture.createAccount()
  const { cid } = await fixture.upload(accountId, randomBytes(100))
  await purgeBlob(fixture.pool, { hostId: fixture.hostId, tenantId: 1, accountId, cid, ref: 'x' })
  {
    using _outage = fixture.inject({ kind: 'refuse' })
    await expect(eraseBlob(fixture.deps, { accountId, cid })).rejects.toBeInstanceOf(
      BlobStoreUnavailableError,
    )
  }
  expect(await fixture.row(accountId, cid)).toMatchObject({ state: 'deleting' })
  await eraseBlob(fixture.deps, { accountId, cid })
  expect(await fixture.row(accountId, cid)).toMatchObject({ state: 'purged' })
})
