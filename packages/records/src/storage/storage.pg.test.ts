import { openTree, walkTree } from '@rookery/repo'
import { TidClock, cidForCbor } from '@rookery/syntax'
import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { type TestRepo, createTestRepo, deleteOf, testWriter, writeOf } from '../../test-support/test-repo.ts'
import {
  compactionReminderBytes,
  deltaBytesFloor,
  deletionBatchRows,
  inlineCompactionBytesMax,
  looseBytesMax,
  loosePacksMax,
} from '../limits.ts'
import { checkRepo, rebuildPacks } from './check-repo.ts'
import { compactRepo, compactionNeed, joinDeltas } from './compact.ts'
import { deleteRepoContent } from './delete-content.ts'
import { NodeCache } from './node-cache.ts'
import { InvalidPackError, decodeRev, encodePack, encodeRev, readDirectory, readPack } from './pack.ts'
import { findHead } from './storage-queries.ts'
import { StoredNodes } from './stored-nodes.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

async function fill(repo: TestRepo, count: number, value = 0): Promise<void> {
  await using writer = testWriter(db.database)
  for (let from = 0; from < count; from += 200) {
    const keys = Array.from(
      { length: Math.min(200, count - from) },
      (_, i) => `com.example.thing/k${from + i}`,
    )
    await writer.commit(repo, async ({ find }) => {
      const found = await find(keys)
      return keys.map((key, i) => writeOf(found[i] ? 'update' : 'create', key, { value }))
    })
  }
}

async function packBytes(accountId: number): Promise<{ rows: number; bytes: number }> {
  const { rows } = await db.pool.query<{ rows: number; bytes: number }>(
    'select count(*) as rows, coalesce(sum(length(bytes)), 0)::bigint as bytes from pack where account_id = $1',
    [accountId],
  )
  return rows[0]!
}

async function liveBytes(accountId: number): Promise<number> {
  const head = (await findHead(db.pool, accountId))!
  let bytes = 0
  for await (const item of walkTree(openTree(head.data), new StoredNodes(db.pool, accountId))) {
    if (item.kind === 'node') bytes += item.bytes.length
  }
  return bytes
}

describe('packs', () => {
  test('keep any rev and any node', () => {
    const nodes = fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.nat()))
    fc.assert(
      fc.property(nodes, fc.integer({ min: 0, max: 2 ** 53 - 1 }), (inputs, micros) => {
        const rev = new TidClock(() => micros, 77).next()
        expect(decodeRev(encodeRev(rev))).toBe(rev)
        const blocks = inputs.map(([bytes]) => ({ cid: cidForCbor(bytes), bytes }))
        const read: unknown[] = []
        readPack(encodePack(blocks, rev), (node) => read.push({ ...node, bytes: new Uint8Array(node.bytes) }))
        expect(read).toEqual(blocks.map((block) => ({ ...block, rev })))
      }),
    )
  })

  test('that are damaged are refused', () => {
    const pack = encodePack([{ cid: cidForCbor(Buffer.of(1)), bytes: Buffer.of(1, 2, 3) }], '2222222222222')
    for (let length = 2; length < pack.length; length++) {
      expect(() => readPack(pack.subarray(0, length), () => {})).toThrow(InvalidPackError)
    }
    expect(() => readPack(Buffer.from([2]), () => {})).toThrow(InvalidPackError)
    expect(() => readDirectory(Buffer.from([1, 0, 0, 0, 1]), () => {})).toThrow(InvalidPackError)
    expect(() => readDirectory(Buffer.from([1, 0, 0, 0, 1, 0, 0, 0, 9]), () => {})).toThrow(InvalidPackError)
  })
})

describe('compaction', () => {
  test('keeps storage within twice the live tree and a floor, whatever a repo does', async () => {
    const repo = await createTestRepo(db.database)
    for (let round = 0; round < 12; round++) await fill(repo, 600, round)
    const live = await liveBytes(repo.accountId)
    const stored = await packBytes(repo.accountId)
    // Half a pack more than the bound may come with the commit that passes it, and each node has 44 bytes around it.
    expect(stored.bytes).toBeLessThan(live * 2 + 2 * deltaBytesFloor)
  })

  test('cuts a large tree into chunks, reads only those that it needs, and commits go on meanwhile', async () => {
    const repo = await createTestRepo(db.database)
    await fill(repo, 8_000)
    const compaction = compactRepo(db.pool, repo.accountId)
    await using writer = testWriter(db.database)
    for (let i = 0; i < 10; i++) {
      await writer.commit(repo, () => [writeOf('create', `com.example.other/k${i}`, {})])
    }
    await compaction
    expect((await packBytes(repo.accountId)).rows).toBeGreaterThan(5)
    await using cold = testWriter(db.database, { nodeCache: new NodeCache(1) })
    for (const key of ['k1', 'k4000', 'k7999']) {
      await cold.commit(repo, () => [deleteOf(`com.example.thing/${key}`)])
    }
    expect(await checkRepo(db.pool, repo.accountId)).toEqual({
      recordsMatch: true,
      packsComplete: true,
      records: 8_007,
    })
  })

  test('goes on when a compaction has moved what a kept head needs', async () => {
    const repo = await createTestRepo(db.database)
    await fill(repo, 5_000)
    await using writer = testWriter(db.database, { nodeCache: new NodeCache(1) })
    for (let round = 0; round < 5; round++) {
      await writer.commit(repo, () => [deleteOf(`com.example.thing/k${round * 997}`)])
      await compactRepo(db.pool, repo.accountId)
      await compactRepo(db.pool, repo.accountId)
    }
    expect((await checkRepo(db.pool, repo.accountId)).packsComplete).toBe(true)
  })

  test('is wanted past the bounds only, by a job for large trees', () => {
    const head = { baseBytes: 0, deltaBytes: deltaBytesFloor, deltaCount: 3, looseBytes: 0, joinedBytes: 0 }
    expect(compactionNeed(head)).toBe('none')
    expect(compactionNeed({ ...head, deltaBytes: deltaBytesFloor + 1 })).toBe('inline')
    const large = { ...head, baseBytes: inlineCompactionBytesMax + 2 }
    expect(compactionNeed({ ...large, deltaBytes: 2 * inlineCompactionBytesMax })).toBe('none')
    expect(compactionNeed({ ...large, deltaBytes: 3 * inlineCompactionBytesMax })).toBe('job')
    expect(compactionNeed({ ...large, deltaCount: loosePacksMax + 1 })).toBe('join')
    expect(compactionNeed({ ...large, looseBytes: looseBytesMax + 1 })).toBe('join')
  })

  test('joins deltas to what is alive of them, whatever is written meanwhile, and leaves the base', async () => {
    const repo = await createTestRepo(db.database)
    await fill(repo, 3_000)
    await compactRepo(db.pool, repo.accountId)
    const base = await packBytes(repo.accountId)
    await using writer = testWriter(db.database, { madePacksMax: Infinity })
    const add = (i: number) => writer.commit(repo, () => [writeOf('create', `com.example.other/k${i}`, {})])
    for (let i = 0; i < 80; i++) await add(i)
    for (let i = 0; i < 40; i++) await writer.commit(repo, () => [deleteOf(`com.example.other/k${i}`)])
    const before = await packBytes(repo.accountId)
    const [one, other] = await Promise.all([
      joinDeltas(db.pool, repo.accountId),
      joinDeltas(db.pool, repo.accountId),
      add(1_000),
    ])
    const after = await packBytes(repo.accountId)
    // One that looks when the other is done has nothing to join.
    const joined = [one, other].filter((bytes) => bytes !== undefined)
    expect(joined).not.toEqual([])
    for (const bytes of joined) expect(bytes).toBeLessThan((before.bytes - base.bytes) / 10)
    // The base's rows, what was joined, at most twice, and what came meanwhile.
    expect(after.rows).toBeLessThanOrEqual(base.rows + 3)
    await using cold = testWriter(db.database, { nodeCache: new NodeCache(1) })
    for (const key of ['thing/k1', 'thing/k2999', 'other/k79', 'other/k1000']) {
      await cold.commit(repo, () => [deleteOf(`com.example.${key}`)])
    }
    const check = await checkRepo(db.pool, repo.accountId)
    expect(check).toEqual({ recordsMatch: true, packsComplete: true, records: 3_037 })
  })

  test('joins what a process has written without reading it, again and again', async () => {
    const repo = await createTestRepo(db.database)
    await fill(repo, 3_000)
    await compactRepo(db.pool, repo.accountId)
    const base = await packBytes(repo.accountId)
    const reads = vi.spyOn(db.pool, 'query')
    await using writer = testWriter(db.database, { madePacksMax: 20 })
    for (let i = 0; i < 150; i++) {
      await writer.commit(repo, () => [writeOf('create', `com.example.other/k${i}`, {})])
    }
    await writer[Symbol.asyncDispose]()
    const names = reads.mock.calls.map(([query]) => (query as { name?: string }).name)
    reads.mockRestore()
    // The one that began.
    expect(names.filter((name) => name === 'repo_refresh')).toHaveLength(1)
    const after = await packBytes(repo.accountId)
    expect(after.rows).toBeLessThan(base.rows + 2 * 20)
    expect((await findHead(db.pool, repo.accountId))!.deltaCount).toBe(after.rows - base.rows)
    expect((await checkRepo(db.pool, repo.accountId)).packsComplete).toBe(true)
  })

  test('reads and joins what it has joined from memory once that is much', async () => {
    const repo = await createTestRepo(db.database)
    await fill(repo, 8_000)
    await compactRepo(db.pool, repo.accountId)
    const reads = vi.spyOn(db.pool, 'query')
    await using writer = testWriter(db.database, { madePacksMax: 2 })
    for (let round = 0; round < 30; round++) {
      await writer.commit(repo, () =>
        Array.from({ length: 200 }, (_, i) =>
          writeOf('update', `com.example.thing/k${(i * 39 + round) % 8_000}`, { round }),
        ),
      )
    }
    await writer[Symbol.asyncDispose]()
    const names = reads.mock.calls.map(([query]) => (query as { name?: string }).name)
    reads.mockRestore()
    // Besides the one that began.
    expect(names.filter((name) => name === 'repo_refresh').length).toBeGreaterThan(1)
    expect((await checkRepo(db.pool, repo.accountId)).packsComplete).toBe(true)
  })

  test('is asked for once, and not again when a worker has done it', async () => {
    const repo = await createTestRepo(db.database)
    await fill(repo, 8_000)
    await compactRepo(db.pool, repo.accountId)
    const { baseBytes } = (await findHead(db.pool, repo.accountId))!
    expect(baseBytes).toBeGreaterThan(inlineCompactionBytesMax)
    // As after many more commits than a test has time for.
    await db.pool.query('update repo set delta_bytes = $2 where account_id = $1', [
      repo.accountId,
      3 * baseBytes,
    ])
    const due = { asked: 0 }
    await using writer = testWriter(db.database, { onCompactionDue: () => due.asked++ })
    const write = (n: number) =>
      writer.commit(repo, () => [writeOf('update', 'com.example.thing/k1', { value: n })])
    await write(1)
    // The first one to pass the bound finds it passed already; it is asked for at the next reminder.
    const commitsOf = async (reminders: number) => {
      const { rows } = await db.pool.query<{ bytes: number }>(
        'select length(bytes) as bytes from pack where account_id = $1 order by rev desc limit 1',
        [repo.accountId],
      )
      return Math.ceil((reminders * compactionReminderBytes) / rows[0]!.bytes)
    }
    const enough = await commitsOf(2)
    for (let n = 2; due.asked === 0 && n < enough; n++) await write(n)
    await vi.waitFor(() => expect(due.asked).toBe(1))
    await compactRepo(db.pool, repo.accountId)
    for (let n = 0; n < 1.5 * enough; n++) await write(n + 1_000)
    await writer[Symbol.asyncDispose]()
    expect(due.asked).toBe(1)
  })
})

describe('checkRepo and rebuildPacks', () => {
  test('find lost packs and make them anew from the records', async () => {
    const repo = await createTestRepo(db.database)
    await fill(repo, 1_500)
    await using writer = testWriter(db.database)
    await writer.commit(repo, () => [
      writeOf('create', 'com.example.thing.sub/a', {}),
      writeOf('create', 'com.example.thing-b/a', {}),
    ])
    await db.pool.query('delete from pack where account_id = $1', [repo.accountId])
    expect(await checkRepo(db.pool, repo.accountId)).toMatchObject({
      recordsMatch: true,
      packsComplete: false,
    })
    expect(await rebuildPacks(db.pool, repo.accountId)).toBe(true)
    expect(await checkRepo(db.pool, repo.accountId)).toMatchObject({
      recordsMatch: true,
      packsComplete: true,
    })
    await using other = testWriter(db.database)
    await other.commit(repo, () => [deleteOf('com.example.thing/k7')])
  })

  test('find a lost record', async () => {
    const repo = await createTestRepo(db.database)
    await fill(repo, 10)
    await db.pool.query(`delete from record where account_id = $1 and rkey = 'k3'`, [repo.accountId])
    expect(await checkRepo(db.pool, repo.accountId)).toMatchObject({
      recordsMatch: false,
      packsComplete: true,
    })
    expect(await rebuildPacks(db.pool, repo.accountId)).toBe(false)
  })
})

describe('deleteRepoContent', () => {
  test('leaves nothing of this account and everything of others', async () => {
    const repo = await createTestRepo(db.database)
    const other = await createTestRepo(db.database)
    await fill(repo, deletionBatchRows + 10)
    await fill(other, 10)
    await expect(deleteRepoContent(db.pool, repo.accountId)).rejects.toThrow('after the repo itself')
    await db.pool.query('delete from repo where account_id = $1', [repo.accountId])
    await deleteRepoContent(db.pool, repo.accountId)
    await deleteRepoContent(db.pool, repo.accountId)
    const { rows } = await db.pool.query<{ account_id: number; records: number }>(
      'select account_id, count(*) as records from record where account_id = any($1) group by account_id',
      [[repo.accountId, other.accountId]],
    )
    expect(rows).toEqual([{ account_id: other.accountId, records: 10 }])
    expect((await packBytes(repo.accountId)).rows).toBe(0)
  })
})
