import { setImmediate, setTimeout } from 'node:timers/promises'

import { encodeCommitFrame } from '@rookery/events'
import { cidForCbor } from '@rookery/syntax'
import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createTestRepo, testClock } from '../../test-support/test-repo.ts'
import { WritesOverloadedError } from '../errors.ts'
import { batchCommitsMax, waitingCommitsMax } from '../limits.ts'
import { type RepoHead, findHead } from '../storage/storage-queries.ts'
import type { NewCommit } from './commit-queries.ts'
import { GroupCommit } from './group-commit.ts'

let db: TestDatabase
const clock = testClock()
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

async function headOf(): Promise<RepoHead> {
  const { accountId } = await createTestRepo(db.database)
  return (await findHead(db.pool, accountId))!
}

/** A commit that only its bookkeeping makes one: what it says is not looked at here. */
function commitOn(head: RepoHead, change: Partial<NewCommit> = {}): NewCommit {
  const rev = clock.next(head.rev)
  const cid = cidForCbor(Buffer.from(rev))
  const event = { repo: head.did, commit: cid, rev, since: null, blocks: new Uint8Array(), ops: [] }
  return {
    accountId: head.accountId,
    hostId: head.hostId,
    expected: head.head,
    head: cid,
    data: head.data,
    rev,
    commit: head.commit,
    pack: new Uint8Array(),
    frame: encodeCommitFrame({ ...event, time: new Date(0).toISOString() }),
    writes: [],
    ...change,
  }
}

describe('GroupCommit', () => {
  test('stores what is ready together in one statement, and tells once for each', async () => {
    const heads = await Promise.all(Array.from({ length: batchCommitsMax }, headOf))
    let statements = 0
    const group = new GroupCommit(db.pool, () => statements++)
    const outcomes = await Promise.all(heads.map((head) => group.store(commitOn(head))))
    expect(new Set(outcomes)).toEqual(new Set(['stored']))
    expect(statements).toBe(1)
    // The same again: every head has moved.
    const again = await Promise.all(heads.map((head) => group.store(commitOn(head))))
    expect(new Set(again)).toEqual(new Set(['head moved']))
    expect(statements).toBe(1)
  })

  test('waits after a statement of several commits, so that their callers can share the next one', async () => {
    const heads = await Promise.all(Array.from({ length: 4 }, headOf))
    const query = async (...args: Parameters<typeof db.pool.query>) => {
      // As long as a busy database takes; half of it is more than the longest wait.
      await setTimeout(10)
      return db.pool.query(...args)
    }
    let statements = 0
    const group = new GroupCommit({ query } as unknown as typeof db.pool, () => statements++)
    await Promise.all(heads.slice(0, 2).map((head) => group.store(commitOn(head))))
    const third = group.store(commitOn(heads[2]!))
    await setImmediate()
    await Promise.all([third, group.store(commitOn(heads[3]!))])
    expect(statements).toBe(2)
  })

  test('tells of a repo that is not there, and stores the others of its batch', async () => {
    const heads = await Promise.all(Array.from({ length: 3 }, headOf))
    const group = new GroupCommit(db.pool, () => {})
    const outcomes = await Promise.all(
      heads.map((head, index) => group.store(commitOn(head, index === 1 ? { accountId: 999_999 } : {}))),
    )
    expect(outcomes).toEqual(['stored', 'no repo', 'stored'])
  })

  test('stores the others when the database refuses one of a batch', async () => {
    const heads = await Promise.all(Array.from({ length: 4 }, headOf))
    const group = new GroupCommit(db.pool, () => {})
    const results = await Promise.allSettled(
      // A text of PostgreSQL can't hold a zero byte.
      heads.map((head, index) => group.store(commitOn(head, index === 2 ? { rev: 'a\u0000b' } : {}))),
    )
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  })

  test('refuses more commits than may wait', async () => {
    const head = await headOf()
    const group = new GroupCommit(db.pool, () => {})
    const stored = Array.from({ length: waitingCommitsMax }, (_, n) =>
      group.store(commitOn(head, { accountId: 1_000_000 + n })),
    )
    expect(() => group.store(commitOn(head, { accountId: 1 }))).toThrow(WritesOverloadedError)
    expect(new Set(await Promise.all(stored))).toEqual(new Set(['no repo']))
  })

  test('lets nobody wait for a repo that is held, and stores its commit when it is free again', async () => {
    const [held, freed, other] = [await headOf(), await headOf(), await headOf()]
    const [holder, briefly] = [await db.pool.connect(), await db.pool.connect()]
    for (const [client, { accountId }] of [
      [holder, held],
      [briefly, freed],
    ] as const) {
      await client.query('begin')
      await client.query('select from repo where account_id = $1 for update', [accountId])
    }
    let statements = 0
    const group = new GroupCommit(db.pool, () => {
      // The first batch has stored the commit that could be stored.
      if (statements++ === 0) void briefly.query('rollback')
    })
    const outcomes = await Promise.all([held, freed, other].map((head) => group.store(commitOn(head))))
    expect(outcomes).toEqual(['busy', 'stored', 'stored'])
    await holder.query('rollback')
    holder.release()
    briefly.release()
  })
})
