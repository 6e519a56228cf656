import { randomBytes } from 'node:crypto'

import { dayMs } from '@rookery/std'
import type { Cid } from '@rookery/syntax'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type BlobFixture, openBlobFixture, postWith } from '../../test-support/blob-fixture.ts'
import { deleteOf } from '../../test-support/test-repo.ts'
import { collectBlobs } from './collect-blobs.ts'
import { BlobNotFoundError } from './errors.ts'

// SPEC BL-4, BL-5, BL-6
describe('references to blobs', () => {
  let fixture: BlobFixture
  beforeAll(async () => {
    fixture = await openBlobFixture('disk')
  })
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]()
  })

  async function uploads(accountId: number, count: number): Promise<Cid[]> {
    const blobs = await Promise.all(
      Array.from({ length: count }, () => fixture.upload(accountId, randomBytes(64))),
    )
    return blobs.map((blob) => blob.cid)
  }

  async function states(accountId: number, cids: readonly Cid[]): Promise<unknown[]> {
    const rows = await Promise.all(cids.map((cid) => fixture.row(accountId, cid)))
    return rows.map((row) => row && [row['state'], row['ref_count'], row['unreferenced_at'] === null])
  }

  test('follow records through create, update and delete', async () => {
    const accountId = await fixture.createAccount()
    const cids = await uploads(accountId, 2)
    const [a, b] = cids as [Cid, Cid]
    await fixture.commit(accountId, [postWith('create', 'one', [a])])
    expect(await states(accountId, cids)).toEqual([
      ['permanent', 1, true],
      ['temporary', 0, false],
    ])
    await fixture.commit(accountId, [postWith('update', 'one', [a, b])])
    expect(await states(accountId, cids)).toEqual([
      ['permanent', 1, true],
      ['permanent', 1, true],
    ])
    await fixture.commit(accountId, [postWith('update', 'one', [b])])
    await fixture.commit(accountId, [postWith('create', 'two', [b])])
    expect(await states(accountId, cids)).toEqual([
      ['permanent', 0, false],
      ['permanent', 2, true],
    ])
    await fixture.commit(accountId, [deleteOf('app.bsky.feed.post/one')])
    await fixture.commit(accountId, [deleteOf('app.bsky.feed.post/two')])
    await fixture.age(accountId, dayMs)
    await collectBlobs(fixture.deps)
    expect(await states(accountId, cids)).toEqual([undefined, undefined])
    expect(await fixture.objects(accountId)).toEqual([])
  })

  test('survive a move from one record to another in one commit', async () => {
    const accountId = await fixture.createAccount()
    const cids = await uploads(accountId, 1)
    await fixture.commit(accountId, [postWith('create', 'from', cids)])
    await fixture.commit(accountId, [deleteOf('app.bsky.feed.post/from'), postWith('create', 'to', cids)])
    expect(await states(accountId, cids)).toEqual([['permanent', 1, true]])
    await fixture.age(accountId, dayMs)
    await collectBlobs(fixture.deps)
    expect(await states(accountId, cids)).toEqual([['permanent', 1, true]])
  })

  test('are refused, with the whole commit, when one blob is missing, given up or taken down', async () => {
    const accountId = await fixture.createAccount()
    const cids = await uploads(accountId, 3)
    const [good, doomed, down] = cids as [Cid, Cid, Cid]
    await fixture.pool.query(`update blob set state = 'deleting' where account_id = $1 and cid = $2`, [
      accountId,
      doomed,
    ])
    await fixture.pool.query(
      `update blob set state = 'quarantined', takedown_ref = 'x' where account_id = $1 and cid = $2`,
      [accountId, down],
    )
    const other = await fixture.createAccount()
    const [foreign] = (await uploads(other, 1)) as [Cid]
    for (const bad of [doomed, down, foreign]) {
      const writes = [postWith('create', 'good', [good]), postWith('create', 'bad', [bad])]
      await expect(fixture.commit(accountId, writes)).rejects.toBeInstanceOf(BlobNotFoundError)
    }
    expect(await fixture.row(accountId, good)).toMatchObject({ state: 'temporary', ref_count: 0 })
    const { rows } = await fixture.pool.query('select * from blob_ref where account_id = $1', [accountId])
    expect(rows).toEqual([])
  })

  test('are counted once for a blob that a record names twice', async () => {
    const accountId = await fixture.createAccount()
    const [cid] = (await uploads(accountId, 1)) as [Cid]
    await fixture.commit(accountId, [postWith('create', 'twice', [cid, cid])])
    expect(await states(accountId, [cid])).toEqual([['permanent', 1, true]])
    await fixture.commit(accountId, [deleteOf('app.bsky.feed.post/twice')])
    expect(await states(accountId, [cid])).toEqual([['permanent', 0, false]])
  })

  test('are counted right when commits and uploads of one blob run at once', async () => {
    const accountId = await fixture.createAccount()
    const bytes = randomBytes(64)
    const { cid } = await fixture.upload(accountId, bytes)
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        await fixture.addRef({ accountId, cid, rkey: `r${i}` })
        await fixture.upload(accountId, bytes)
        if (i % 2 === 0) await fixture.removeRef({ accountId, rkey: `r${i}` })
      }),
    )
    expect(await states(accountId, [cid])).toEqual([['permanent', 10, true]])
    expect(await fixture.objects(accountId)).toHaveLength(1)
  })
})
