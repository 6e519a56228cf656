import { InvalidRecordError, bundledLexicons } from '@rookery/lexicon'
import { DuplicatePathError, RecordExistsError, RecordMissingError } from '@rookery/repo'
import { type DataObject, cidToString, recordBytesMax } from '@rookery/syntax'
import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  type TestRepo,
  checkHistory,
  createTestRepo,
  testClock,
  testWriter,
} from '../../test-support/test-repo.ts'
import type { RepoWriter } from '../commit/repo-writer.ts'
import { CommitTooLargeError, InvalidSwapError } from '../errors.ts'
import { commitOpsMax } from '../limits.ts'
import { findHead } from '../storage/storage-queries.ts'
import { type WriteDeps, applyWrites, createRecord, deleteRecord, putRecord } from './write-records.ts'

let db: TestDatabase
let writer: RepoWriter
let deps: WriteDeps
let repo: TestRepo
beforeAll(async () => {
  db = await createTestDatabase()
  writer = testWriter(db.database)
  deps = { writer, lexicons: bundledLexicons(), clock: testClock() }
  repo = await createTestRepo(db.database)
})
afterAll(async () => {
  await checkHistory(db.database, repo)
  await writer[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
})

const createdAt = '2026-11-20T12:00:00.000Z'
const post = { collection: 'app.bsky.feed.post', record: { text: 'hello', createdAt } }
const unknown = (record: DataObject = {}) => ({ collection: 'com.example.thing', record })

async function keysOf(collection: string): Promise<string[]> {
  const { rows } = await db.pool.query<{ rkey: string }>(
    'select rkey from record where account_id = $1 and collection = $2 order by rkey',
    [repo.accountId, collection],
  )
  return rows.map(({ rkey }) => rkey)
}

describe('createRecord', () => {
  // SPEC WR-5, WR-6
  test('gives a record its $type and a key, and says what validation found', async () => {
    const valid = await createRecord(deps, repo, post)
    expect(valid.result.validationStatus).toBe('valid')
    expect(valid.result.uri).toMatch(/^at:\/\/did:web:[^/]+\/app\.bsky\.feed\.post\/[2-7a-z]{13}$/)
    expect((await createRecord(deps, repo, unknown())).result.validationStatus).toBe('unknown')
    const unchecked = await createRecord(deps, repo, { ...post, record: { bad: 1 }, validate: false })
    expect(unchecked.result.validationStatus).toBeUndefined()
  })

  test.each([
    ['an unknown lexicon that must be known', { ...unknown(), validate: true }],
    ['a record that breaks its lexicon', { ...post, record: { text: 1 } }],
    ['another $type, even unvalidated', { ...post, record: { $type: 'a.b.c' }, validate: false }],
    ['a malformed record key', { ...post, rkey: 'a/b' }],
    ['a key that its lexicon does not allow', { ...post, rkey: 'self' }],
    ['a malformed collection', { ...post, collection: 'nope' }],
    ['a legacy blob, even unvalidated', { ...unknown({ a: { cid: 'b', mimeType: 'c' } }), validate: false }],
    ['a record of too many bytes', unknown({ text: 'x'.repeat(recordBytesMax) })],
  ])('refuses %s', async (_, input) => {
    await expect(createRecord(deps, repo, input)).rejects.toThrow(InvalidRecordError)
  })

  // SPEC DM-8
  test('accepts a record of recordBytesMax', async () => {
    const overhead = 40
    for (let size = recordBytesMax - overhead - 10; ; size++) {
      const input = unknown({ text: 'x'.repeat(size) })
      const refused = await createRecord(deps, repo, input).then(
        () => undefined,
        (error: Error) => error,
      )
      if (refused === undefined) continue
      expect(refused.message).toContain(`${recordBytesMax + 1} bytes`)
      break
    }
  })

  test('refuses a key that is taken', async () => {
    await createRecord(deps, repo, { ...unknown(), rkey: 'taken' })
    await expect(createRecord(deps, repo, { ...unknown(), rkey: 'taken' })).rejects.toThrow(RecordExistsError)
  })

  test('replaces a like of the same subject, and only of that one', async () => {
    const like = (n: number, options: { validate?: boolean } = {}) =>
      createRecord(deps, repo, {
        collection: 'app.bsky.feed.like',
        record: {
          createdAt,
          subject: {
            uri: `at://did:web:x.test/app.bsky.feed.post/${n}`,
            cid: 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm',
          },
        },
        ...options,
      })
    await like(1)
    await like(2)
    expect(await keysOf('app.bsky.feed.like')).toHaveLength(2)
    const third = await like(1)
    const keys = await keysOf('app.bsky.feed.like')
    expect(keys).toHaveLength(2)
    expect(keys).toContain(third.result.uri.split('/').at(-1))
    await like(2, { validate: false })
    expect(await keysOf('app.bsky.feed.like')).toHaveLength(3)
  })

  test('keeps swapCommit', async () => {
    const first = await createRecord(deps, repo, unknown())
    const swapCommit = cidToString(first.commit!.cid)
    await createRecord(deps, repo, { ...unknown(), swapCommit })
    await expect(createRecord(deps, repo, { ...unknown(), swapCommit })).rejects.toThrow(InvalidSwapError)
  })
})

describe('putRecord', () => {
  const put = (value: number, swapRecord?: string | null) =>
    putRecord(deps, repo, { ...unknown({ value }), rkey: 'put', swapRecord })

  test('creates, updates, and does nothing for the same bytes', async () => {
    const created = await put(1)
    expect(created.commit).toBeDefined()
    expect((await put(1)).commit).toBeUndefined()
    const updated = await put(2)
    expect(updated.commit?.rev).not.toBe(created.commit?.rev)
    expect(updated.result.cid).not.toBe(created.result.cid)
  })

  test('keeps swapRecord, and null as "must not exist"', async () => {
    const { cid } = (await put(3)).result
    await expect(put(4, null)).rejects.toThrow(InvalidSwapError)
    await put(4, cid)
    await expect(put(5, cid)).rejects.toThrow(InvalidSwapError)
  })
})

describe('deleteRecord', () => {
  test('deletes once and then does nothing', async () => {
    await createRecord(deps, repo, { ...unknown(), rkey: 'gone' })
    const path = { collection: 'com.example.thing', rkey: 'gone' }
    await expect(deleteRecord(deps, repo, { ...path, swapRecord: 'bafy' })).rejects.toThrow(InvalidSwapError)
    expect(await deleteRecord(deps, repo, path)).toBeDefined()
    expect(await deleteRecord(deps, repo, path)).toBeUndefined()
    expect(await deleteRecord(deps, repo, { ...path, swapCommit: 'bafy' })).toBeUndefined()
  })
})

describe('applyWrites', () => {
  test('makes one commit of many writes and answers in their order', async () => {
    await createRecord(deps, repo, { ...unknown({ a: 1 }), rkey: 'batch1' })
    await createRecord(deps, repo, { ...unknown({ a: 1 }), rkey: 'batch2' })
    const before = (await findHead(db.pool, repo.accountId))!
    const { commit, result } = await applyWrites(deps, repo, {
      writes: [
        { action: 'delete', collection: 'com.example.thing', rkey: 'batch1' },
        { action: 'update', ...unknown({ a: 2 }), rkey: 'batch2' },
        { action: 'create', ...unknown({ a: 3 }) },
        { action: 'create', ...post },
      ],
    })
    expect(result.map((written) => written?.validationStatus)).toEqual([
      undefined,
      'unknown',
      'unknown',
      'valid',
    ])
    const after = (await findHead(db.pool, repo.accountId))!
    expect(after.rev).toBe(commit?.rev)
    expect(after.deltaCount === before.deltaCount + 1 || after.baseRev !== before.baseRev).toBe(true)
  })

  // SPEC WR-1, WR-2, WR-4
  test('carries out all of it or nothing', async () => {
    const { rev } = (await findHead(db.pool, repo.accountId))!
    const create = { action: 'create' as const, ...unknown() }
    const missing = { collection: 'com.example.thing', rkey: 'missing' }
    const batches = [
      [[create, { action: 'delete' as const, ...missing }], RecordMissingError],
      [[create, { action: 'update' as const, ...unknown(), rkey: 'missing' }], RecordMissingError],
      [[create, { action: 'create' as const, ...unknown(), rkey: 'batch2' }], RecordExistsError],
      [
        [
          { ...create, rkey: 'twice' },
          { action: 'delete' as const, ...missing, rkey: 'twice' },
        ],
        DuplicatePathError,
      ],
      [Array.from({ length: commitOpsMax + 1 }, () => create), CommitTooLargeError],
    ] as const
    for (const [writes, error] of batches) {
      await expect(applyWrites(deps, repo, { writes })).rejects.toThrow(error)
    }
    const large = (n: number) => unknown({ text: 'x'.repeat(900_000), n })
    const writes = Array.from({ length: 3 }, (_, n) => ({ action: 'create' as const, ...large(n) }))
    await expect(applyWrites(deps, repo, { writes })).rejects.toThrow(CommitTooLargeError)
    expect((await findHead(db.pool, repo.accountId))?.rev).toBe(rev)
  })

  // SPEC WR-1
  test('takes commitOpsMax writes', async () => {
    const writes = Array.from({ length: commitOpsMax }, () => ({ action: 'create' as const, ...unknown() }))
    expect((await applyWrites(deps, repo, { writes })).result).toHaveLength(commitOpsMax)
  })
})
