import { hash } from 'node:crypto'
import { Readable } from 'node:stream'

import { type DataObject, cidForRawDigest, cidToString } from '@rookery/syntax'
import {
  type TestBlobStore,
  type TestDatabase,
  createTestBlobStore,
  createTestDatabase,
} from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type AccountRepo, createAccountRepo } from '../../test-support/account-repo.ts'
import { TestImporter, foreignCar } from '../../test-support/test-car.ts'
import { deleteOf, testWriter } from '../../test-support/test-repo.ts'
import { listMissingBlobs, uploadBlob } from '../index.ts'

const post = 'app.bsky.feed.post'
let db: TestDatabase
let blobs: TestBlobStore
let importer: TestImporter
beforeAll(async () => {
  db = await createTestDatabase({ poolMax: 20 })
  blobs = await createTestBlobStore('disk')
  importer = new TestImporter(db.database, blobs.store)
})
afterAll(async () => {
  await blobs[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
})

// SPEC BL-9
describe('blobs of an imported repo', () => {
  const image = (cid: string): DataObject => ({
    $type: post,
    image: { $type: 'blob', ref: { $link: cid }, mimeType: 'image/png', size: 5 },
  })
  const legacy = (cid: string): DataObject => ({ $type: post, image: { cid, mimeType: 'image/png' } })
  const rawCid = (text: string): string => cidToString(cidForRawDigest(hash('sha256', text, 'buffer')))

  const rows = async ({ accountId }: AccountRepo): Promise<object> => {
    const found = await db.pool.query<{
      cid: Buffer
      state: string
      ref_count: number
      unreferenced: boolean
    }>(
      'select cid, state, ref_count, unreferenced_at is not null as unreferenced from blob where account_id = $1',
      [accountId],
    )
    return Object.fromEntries(
      found.rows.map(({ cid, state, ref_count, unreferenced }) => [
        cidToString(cid),
        { state, ref_count, unreferenced },
      ]),
    )
  }

  async function upload(repo: AccountRepo, text: string): Promise<string> {
    const deps = { store: blobs.store, pool: db.pool }
    const body = Readable.from([Buffer.from(text)])
    return cidToString((await uploadBlob(deps, { ...repo, body, bytesMax: 100 })).cid)
  }

  test('are expected until they are uploaded, and permanent then', async () => {
    const repo = await createAccountRepo(db.database)
    const [early, late, old] = [await upload(repo, 'early'), rawCid('late'), rawCid('old')]
    const records = {
      [`${post}/a`]: image(early),
      [`${post}/b`]: image(early),
      [`${post}/c`]: image(late),
      [`${post}/d`]: legacy(old),
    }
    await importer.import(repo, (await foreignCar(repo.did, records)).bytes)
    const kept = { state: 'permanent', unreferenced: false }
    expect(await rows(repo)).toEqual({ [early]: { ...kept, ref_count: 2 } })
    const missing = await listMissingBlobs(db.pool, repo.accountId, { limit: 10 })
    expect(new Set(missing.map(({ cid }) => cidToString(cid)))).toEqual(new Set([late, old]))
    expect(await upload(repo, 'late')).toBe(late)
    expect(await rows(repo)).toEqual({
      [early]: { ...kept, ref_count: 2 },
      [late]: { ...kept, ref_count: 1 },
    })

    // A second import that drops some of them, then a delete: the counts stay true.
    await importer.import(repo, (await foreignCar(repo.did, { [`${post}/b`]: image(early) })).bytes)
    expect(await rows(repo)).toEqual({
      [early]: { ...kept, ref_count: 1 },
      [late]: { state: 'permanent', unreferenced: true, ref_count: 0 },
    })
    await using writer = testWriter(db.database, { signerFor: () => Promise.resolve(repo.sign) })
    await writer.commit(repo, () => [deleteOf(`${post}/b`)])
    expect(await rows(repo)).toMatchObject({ [early]: { unreferenced: true, ref_count: 0 } })
  })
})

describe('a blob that is being deleted when an import refers to it', () => {
  test('is missing, and comes back with its next upload', async () => {
    const repo = await createAccountRepo(db.database)
    const deps = { store: blobs.store, pool: db.pool }
    const upload = async (): Promise<string> => {
      const body = Readable.from([Buffer.from('doomed')])
      return cidToString((await uploadBlob(deps, { ...repo, body, bytesMax: 100 })).cid)
    }
    const cid = await upload()
    await db.pool.query(`update blob set state = 'deleting' where account_id = $1`, [repo.accountId])
    const image = { $type: 'blob', ref: { $link: cid }, mimeType: 'text/plain', size: 6 }
    await importer.import(repo, (await foreignCar(repo.did, { 'a.b.c/a': { image } })).bytes)
    const missing = await listMissingBlobs(db.pool, repo.accountId, { limit: 10 })
    expect(missing.map((blob) => cidToString(blob.cid))).toEqual([cid])
    await upload()
    expect(await listMissingBlobs(db.pool, repo.accountId, { limit: 10 })).toEqual([])
    const { rows } = await db.pool.query('select state, ref_count from blob where account_id = $1', [
      repo.accountId,
    ])
    expect(rows).toEqual([{ state: 'permanent', ref_count: 1 }])
  })
})
