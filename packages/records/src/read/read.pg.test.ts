import { readCarWithRoot, verifyProofs, verifyRepo } from '@atproto/repo'
import { cidToString, tidAfter } from '@rookery/syntax'
import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type TestRepo, createTestRepo, deleteOf, testWriter, writeOf } from '../../test-support/test-repo.ts'
import { BlockNotFoundError, RepoNotFoundError } from '../errors.ts'
import { compactRepo } from '../storage/compact.ts'
import { NodeCache } from '../storage/node-cache.ts'
import { findHead } from '../storage/storage-queries.ts'
import { RepoExports } from './export-repo.ts'
import { getBlocks, proveRecord } from './read-blocks.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase({ poolMax: 20 })
})
afterAll(() => db[Symbol.asyncDispose]())

async function fill(repo: TestRepo, count: number): Promise<void> {
  await using writer = testWriter(db.database)
  for (let from = 0; from < count; from += 200) {
    await writer.commit(repo, () =>
      Array.from({ length: Math.min(200, count - from) }, (_, i) =>
        writeOf('create', `app.bsky.feed.${i % 3 ? 'post' : 'like'}/k${from + i}`, { i: from + i }),
      ),
    )
  }
}

async function exported(repo: TestRepo, since?: string): Promise<Buffer> {
  const exports = new RepoExports(db.pool)
  const parts: Buffer[] = []
  for await (const part of await exports.open({ ...repo, since })) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

describe('RepoExports', () => {
  test.each([0, 1, 700, 6_000])('exports a repo of %i records that @atproto/repo verifies', async (count) => {
    const repo = await createTestRepo(db.database)
    await fill(repo, count)
    for (const compacted of [false, true]) {
      if (compacted) await compactRepo(db.pool, repo.accountId)
      const car = await readCarWithRoot(await exported(repo))
      const verified = await verifyRepo(car.blocks, car.root, repo.did, repo.keypair.did())
      expect(verified.creates).toHaveLength(count)
    }
  })

  test('exports after a rev exactly what came since, through compaction', async () => {
    const repo = await createTestRepo(db.database)
    await fill(repo, 600)
    await compactRepo(db.pool, repo.accountId)
    await using writer = testWriter(db.database)
    const since = await writer.commit(repo, () => [writeOf('create', 'app.bsky.feed.post/x', { a: 1 })])
    await writer.commit(repo, () => [
      writeOf('update', 'app.bsky.feed.post/k1', { b: 1 }),
      deleteOf('app.bsky.feed.post/x'),
      writeOf('create', 'app.bsky.feed.post/y', { y: 1 }),
    ])
    // Comes back byte for byte: its block is new again.
    await writer.commit(repo, () => [writeOf('create', 'app.bsky.feed.post/x', { a: 1 })])
    const whole = await readCarWithRoot(await exported(repo))
    for (const compacted of [false, true]) {
      if (compacted) await compactRepo(db.pool, repo.accountId)
      const diff = await readCarWithRoot(await exported(repo, since!.rev))
      const values = [writeOf('create', 'app.bsky.feed.post/x', { a: 1 })]
      for (const write of values) {
        expect(diff.blocks.entries().map(({ cid }) => cid.toString())).toContain(
          write.action === 'delete' ? '' : cidToString(write.cid),
        )
      }
      expect(diff.blocks.size).toBeLessThan(60)
      expect(diff.blocks.entries().every(({ cid }) => whole.blocks.has(cid))).toBe(true)
      const before = await readCarWithRoot(await exported(repo, tidAfter('2222222222222')))
      expect(before.blocks.size).toBe(whole.blocks.size)
    }
  })

  test('frees the connection when the reader goes away', async () => {
    const repo = await createTestRepo(db.database)
    await fill(repo, 2_000)
    const exports = new RepoExports(db.pool)
    for (let i = 0; i < 12; i++) {
      const stream = await exports.open(repo)
      for await (const _ of stream) break
      expect(stream.destroyed).toBe(true)
    }
  })

  test('refuses a repo that is not there', async () => {
    const exports = new RepoExports(db.pool)
    await expect(exports.open({ accountId: 999_999, did: 'did:web:none.test' })).rejects.toThrow(
      RepoNotFoundError,
    )
  })
})

describe('proveRecord', () => {
  test('proves that a record is there, and that another is not', async () => {
    const repo = await createTestRepo(db.database)
    await fill(repo, 900)
    const deps = { db: db.pool, nodeCache: new NodeCache() }
    for (let round = 0; round < 2; round++) {
      const there = await proveRecord(deps, { ...repo, collection: 'app.bsky.feed.post', rkey: 'k1' })
      const gone = await proveRecord(deps, { ...repo, collection: 'app.bsky.feed.post', rkey: 'nope' })
      const write = writeOf('create', 'app.bsky.feed.post/k1', { i: 1 })
      const { CID } = await import('multiformats/cid')
      const cid = CID.parse(write.action === 'delete' ? '' : cidToString(write.cid))
      const claims = [{ collection: 'app.bsky.feed.post', rkey: 'k1', cid }]
      const proof = await verifyProofs(there, claims, repo.did, repo.keypair.did())
      expect(proof.verified).toHaveLength(1)
      const absent = [{ collection: 'app.bsky.feed.post', rkey: 'nope', cid: null }]
      expect((await verifyProofs(gone, absent, repo.did, repo.keypair.did())).verified).toHaveLength(1)
      await compactRepo(db.pool, repo.accountId)
    }
  })
})

describe('getBlocks', () => {
  test('answers commit, nodes and records of this repo alone', async () => {
    const repo = await createTestRepo(db.database)
    const other = await createTestRepo(db.database)
    await fill(repo, 300)
    await compactRepo(db.pool, repo.accountId)
    const head = (await findHead(db.pool, repo.accountId))!
    const record = writeOf('create', 'app.bsky.feed.post/k1', { i: 1 })
    const cids = [head.head, head.data, ...(record.action === 'delete' ? [] : [record.cid])]
    const car = await readCarWithRoot(await getBlocks(db.pool, { ...repo, cids }))
    expect(car.blocks.size).toBe(3)
    await expect(getBlocks(db.pool, { ...other, cids })).rejects.toThrow(BlockNotFoundError)
  })
})
