import { BlockMap as OracleBlocks, MemoryBlockstore, MST, readCarWithRoot } from '@atproto/repo'
import { RecordExistsError, RecordMissingError } from '@rookery/repo'
import { cidForRawDigest, cidToString } from '@rookery/syntax'
import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  bytesOf,
  checkHistory,
  createTestRepo,
  deleteOf,
  queuedEvents,
  testWriter,
  writeOf,
} from '../../test-support/test-repo.ts'
import { RepoDeactivatedError, WritesOverloadedError } from '../errors.ts'
import { madePacksMax, optimisticAttemptsMax, waitingWritesPerRepoMax } from '../limits.ts'
import { compactRepo, joinDeltas } from '../storage/compact.ts'
import { checkRepo } from '../storage/check-repo.ts'
import { findHead } from '../storage/storage-queries.ts'
import type { RecordWrite } from './record-write.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase({ poolMax: 20 })
})
afterAll(() => db[Symbol.asyncDispose]())

const collections = ['app.bsky.feed.post', 'app.bsky.feed.like', 'a.b.c', 'a.b.c.d']

async function oracleRoot(records: Map<string, string>): Promise<string> {
  let mst = await MST.create(new MemoryBlockstore(new OracleBlocks()))
  for (const [path, cid] of records) mst = await mst.add(path, CID.parse(cid))
  return (await mst.getPointer()).toString()
}

describe('RepoWriter', () => {
  // SPEC DIFF-1, DIFF-3, WR-8
  test('keeps the tree of any history, through cold starts and compactions', async () => {
    const step = fc.record({
      paths: fc.uniqueArray(
        fc
          .tuple(fc.constantFrom(...collections), fc.integer({ min: 0, max: 150 }))
          .map(([c, k]) => `${c}/key${k}`),
        { minLength: 1, maxLength: 12 },
      ),
      value: fc.integer(),
      remove: fc.boolean(),
      after: fc.constantFrom(
        'nothing',
        'nothing',
        'restart',
        'join',
        'join and restart',
        'compact',
        'compact and restart',
      ),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 40 }),
        fc.constantFrom(2, madePacksMax),
        async (steps, madePacksMax) => {
          const repo = await createTestRepo(db.database)
          let writer = testWriter(db.database, { madePacksMax })
          const records = new Map<string, string>()
          for (const { paths, value, remove, after } of steps) {
            await writer.commit(repo, async ({ find }) => {
              const found = await find(paths)
              return paths.flatMap((path, index) => {
                const before = found[index]
                expect(before && cidToString(before)).toBe(records.get(path))
                if (remove) return before ? [deleteOf(path)] : []
                return [writeOf(before ? 'update' : 'create', path, { value })]
              })
            })
            for (const path of paths) {
              if (remove) records.delete(path)
              else
                records.set(
                  path,
                  cidToString((writeOf('create', path, { value }) as { cid: Uint8Array }).cid),
                )
            }
            if (after.includes('compact')) await compactRepo(db.pool, repo.accountId)
            if (after.includes('join')) await joinDeltas(db.pool, repo.accountId)
            if (after.includes('restart')) {
              await writer[Symbol.asyncDispose]()
              writer = testWriter(db.database, { madePacksMax })
            }
          }
          await writer[Symbol.asyncDispose]()
          expect(await checkRepo(db.pool, repo.accountId)).toMatchObject({ packsComplete: true })
          const head = await findHead(db.pool, repo.accountId)
          expect(cidToString(head!.data)).toBe(await oracleRoot(records))
          expect(await checkHistory(db.database, repo)).toBe(cidToString(head!.data))
          const { rows } = await db.pool.query<{ path: string; cid: Buffer }>(
            `select collection || '/' || rkey as path, cid from record where account_id = $1`,
            [repo.accountId],
          )
          expect(new Map(rows.map(({ path, cid }) => [path, cidToString(cid)]))).toEqual(records)
        },
      ),
      { numRuns: 24 },
    )
  }, 120_000)

  // SPEC DIFF-1
  test('makes slices that @atproto/repo reads', async () => {
    const repo = await createTestRepo(db.database)
    await using writer = testWriter(db.database)
    const stored = await writer.commit(repo, () => [
      writeOf('create', 'app.bsky.feed.post/a', { text: 'hi' }),
    ])
    const events = await queuedEvents(db.database, repo.accountId)
    expect(events.map(({ type }) => type)).toEqual(['#commit', '#commit'])
    expect(events[0]?.body).not.toHaveProperty('prevData')
    const car = await readCarWithRoot(bytesOf(events[1]?.body['blocks']))
    expect(car.root.toString()).toBe(cidToString(stored!.cid))
    expect(events[1]?.body['rev']).toBe(stored?.rev)
  })

  // SPEC WR-8
  test('lets 20 writers through two processes write one repo, in one linear history', async () => {
    const repo = await createTestRepo(db.database)
    await using one = testWriter(db.database)
    await using two = testWriter(db.database)
    const writes = Array.from({ length: 20 }, async (_, writer) => {
      for (let i = 0; i < 5; i++) {
        await (writer % 2 ? one : two).commit(repo, () => [
          writeOf('create', `app.bsky.feed.post/w${writer}-${i}`, { i }),
        ])
      }
    })
    await Promise.all(writes)
    await checkHistory(db.database, repo)
    const { rows } = await db.pool.query('select 1 from record where account_id = $1', [repo.accountId])
    expect(rows).toHaveLength(100)
  }, 60_000)

  test('looks heads up first where other processes keep moving them, and reads only what came since', async () => {
    const repo = await createTestRepo(db.database)
    const statements: string[] = []
    const pool = new Proxy(db.pool, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target)
        if (key !== 'query') return typeof value === 'function' ? value.bind(target) : value
        return (query: { name: string }, ...rest: unknown[]) => {
          statements.push(query.name)
          return (value as (...args: unknown[]) => unknown).call(target, query, ...rest)
        }
      },
    })
    await using one = testWriter(db.database, { pool })
    await using two = testWriter(db.database, { pool })
    const write = (n: number) => (n % 2 ? one : two).commit(repo, () => [writeOf('create', `a.b.c/${n}`, {})])
    for (let n = 0; n < 60; n++) await write(n)
    statements.length = 0
    for (let n = 60; n < 120; n++) await write(n)
    // One each: a commit that finds the repo being compacted is tried again, but not built again.
    expect(statements.filter((name) => name === 'repo_refresh')).toHaveLength(60)
    expect(new Set(statements)).toEqual(new Set(['commit_batch_of_session', 'repo_refresh']))
    // On its own again, a process stops to ask.
    for (let n = 121; n < 421; n += 2) await write(n)
    statements.length = 0
    for (let n = 421; n < 441; n += 2) await write(n)
    expect(new Set(statements)).toEqual(new Set(['commit_batch_of_session']))
    await checkHistory(db.database, repo)
  }, 60_000)

  test('refuses on what the repo is, not on what a stale head says', async () => {
    const repo = await createTestRepo(db.database)
    await using one = testWriter(db.database)
    await using two = testWriter(db.database)
    const path = 'app.bsky.feed.post/a'
    await one.commit(repo, () => [writeOf('create', path, {})])
    await two.commit(repo, () => [deleteOf(path)])
    // The first still keeps a head at which the record is there.
    await one.commit(repo, () => [writeOf('create', path, {})])
    await two.commit(repo, () => [deleteOf(path)])
    await expect(one.commit(repo, () => [deleteOf(path)])).rejects.toThrow(RecordMissingError)
    await one.commit(repo, () => [writeOf('create', path, {})])
    await expect(two.commit(repo, () => [writeOf('create', path, {})])).rejects.toThrow(RecordExistsError)
  })

  // SPEC SYN-13
  test('stores nothing after the account is no longer active, whoever is first', async () => {
    for (let round = 0; round < 5; round++) {
      const repo = await createTestRepo(db.database)
      await using writer = testWriter(db.database)
      const writes = Array.from({ length: 10 }, (_, i) =>
        writer.commit(repo, () => [writeOf('create', `app.bsky.feed.post/${i}`, {})]),
      )
      await writes[round]
      const { rows } = await db.pool.query<{ last: number }>(
        `with flip as (update repo set status = 'deactivated' where account_id = $1 returning account_id)
         insert into event_queue (host_id, account_id, kind, seq_offset, frame)
         select 1, account_id, 'account', 0, '' from flip returning id as last`,
        [repo.accountId],
      )
      const results = await Promise.allSettled(writes)
      const refusals = results.filter((result) => result.status === 'rejected')
      expect(refusals.filter(({ reason }) => !(reason instanceof RepoDeactivatedError))).toEqual([])
      const later = await db.pool.query('select 1 from event_queue where account_id = $1 and id > $2', [
        repo.accountId,
        rows[0]?.last,
      ])
      expect(later.rows).toHaveLength(0)
    }
  })

  test('takes the row lock when others keep moving the head', async () => {
    const repo = await createTestRepo(db.database)
    await using slow = testWriter(db.database)
    await using fast = testWriter(db.database)
    let runs = 0
    await slow.commit(repo, async () => {
      const run = runs++
      const overtake = fast.commit(repo, () => [writeOf('create', `app.bsky.feed.post/fast${run}`, {})])
      // The last run holds the lock: whoever comes then waits for it.
      if (run < optimisticAttemptsMax) await overtake
      return [writeOf('create', 'app.bsky.feed.post/slow', {})]
    })
    expect(runs).toBe(optimisticAttemptsMax + 1)
    await fast[Symbol.asyncDispose]()
    await checkHistory(db.database, repo)
  })

  test('lets waitingWritesPerRepoMax writes of a repo wait and refuses one more', async () => {
    const repo = await createTestRepo(db.database)
    await using writer = testWriter(db.database)
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const plan = async () => {
      await gate
      return []
    }
    const writes = Array.from({ length: waitingWritesPerRepoMax }, () => writer.commit(repo, plan))
    await expect(writer.commit(repo, plan)).rejects.toThrow(WritesOverloadedError)
    open()
    await Promise.all(writes)
    await writer.commit(repo, () => [writeOf('create', 'app.bsky.feed.post/a', {})])
  })

  test('forgets a head when plans that write nothing have loaded much of its tree', async () => {
    const repo = await createTestRepo(db.database)
    await using writer = testWriter(db.database)
    const paths = Array.from({ length: 1_400 }, (_, n) => `a.b.c/${String(n).padStart(5, '0')}`)
    for (let n = 0; n < paths.length; n += 200) {
      await writer.commit(repo, () => paths.slice(n, n + 200).map((path) => writeOf('create', path, {})))
    }
    const look = async (some: readonly string[]): Promise<unknown> => {
      let seen: unknown
      await writer.commit(repo, async ({ head, find }) => {
        seen = head
        await find(some)
        return []
      })
      return seen
    }
    const kept = await look(paths.slice(0, 10))
    expect(await look(paths.slice(0, 20))).toBe(kept)
    expect(await look(paths)).toBe(kept)
    expect(await look([])).not.toBe(kept)
    await checkHistory(db.database, repo)
  })

  test('keeps the order of each repo’s writes while queues are dropped, and waits for all when disposed', async () => {
    const repos = await Promise.all([1, 2, 3].map(() => createTestRepo(db.database)))
    const order = new Map(repos.map(({ accountId }) => [accountId, [] as number[]]))
    await using writer = testWriter(db.database, { keptQueuesMax: 0 })
    const commits = Array.from({ length: 8 }, (_, n) =>
      repos.map((repo) =>
        writer.commit(repo, () => {
          order.get(repo.accountId)?.push(n)
          return [writeOf('create', `a.b.c/n${n}`, { n })]
        }),
      ),
    ).flat()
    await writer[Symbol.asyncDispose]()
    for (const asked of order.values()) expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    for (const repo of repos) await checkHistory(db.database, repo)
    expect(await Promise.all(commits)).not.toContain(undefined)
  })

  // SPEC WR-7, BL-4
  test('refuses a blob that goes away between the check and the commit, and only that commit', async () => {
    const repo = await createTestRepo(db.database)
    const other = await createTestRepo(db.database)
    await using writer = testWriter(db.database)
    const cid = Buffer.from(cidForRawDigest(Buffer.alloc(32, 7)))
    const withBlob = { ...writeOf('create', 'com.example.thing/blob', {}), blobs: [cid] } as RecordWrite
    const [refused, stored] = await Promise.allSettled([
      writer.commit(repo, () => [withBlob]),
      writer.commit(other, () => [writeOf('create', 'com.example.thing/a', {})]),
    ])
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'BlobNotFound' } })
    expect(stored.status).toBe('fulfilled')
  })

  test('fails only the commit of a batch that has a reason to', async () => {
    const repos = await Promise.all(Array.from({ length: 6 }, () => createTestRepo(db.database)))
    await using writer = testWriter(db.database)
    const bad = repos[3]!
    await db.pool.query(`update repo set status = 'takendown' where account_id = $1`, [bad.accountId])
    const results = await Promise.allSettled(
      repos.map((repo) => writer.commit(repo, () => [writeOf('create', 'app.bsky.feed.post/a', {})])),
    )
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual(repos.map((repo) => repo !== bad))
  })

  test('fails only the commit that finds a row of a record that the tree does not have', async () => {
    const repos = await Promise.all(Array.from({ length: 4 }, () => createTestRepo(db.database)))
    await using writer = testWriter(db.database)
    const write = (repo: (typeof repos)[number], action: 'create' | 'update') =>
      writer.commit(repo, () => [writeOf(action, 'app.bsky.feed.post/a', { action })])
    const damaged = repos[1]!
    await db.pool.query(
      `insert into record (account_id, collection, rkey, cid, rev, bytes)
       values ($1, 'app.bsky.feed.post', 'a', '\\x00', '3jzfcijpj2z2a', '\\x00')`,
      [damaged.accountId],
    )
    const results = await Promise.allSettled(repos.map((repo) => write(repo, 'create')))
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual(repos.map((repo) => repo !== damaged))
    // A lost row comes back with the next update.
    const bereft = repos[2]!
    await db.pool.query('delete from record where account_id = $1', [bereft.accountId])
    await write(bereft, 'update')
    expect(await checkRepo(db.pool, bereft.accountId)).toMatchObject({ recordsMatch: true, records: 1 })
  })

  test('never locks two batches of two processes against each other', async () => {
    const repos = await Promise.all(Array.from({ length: 12 }, () => createTestRepo(db.database)))
    await using one = testWriter(db.database)
    await using two = testWriter(db.database)
    await Promise.all(
      Array.from({ length: 8 }, (_, round) =>
        Promise.all(
          [...repos, ...repos.toReversed()].map((repo, i) =>
            (i < repos.length ? one : two).commit(repo, () => [
              writeOf('create', `app.bsky.feed.post/${round}-${i}`, {}),
            ]),
          ),
        ),
      ),
    )
    for (const repo of repos) await checkHistory(db.database, repo)
    const { rows } = await db.pool.query<{ deadlocks: number }>(
      'select deadlocks from pg_stat_database where datname = current_database()',
    )
    expect(rows[0]?.deadlocks).toBe(0)
  }, 60_000)
})
