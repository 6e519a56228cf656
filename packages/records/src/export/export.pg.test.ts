import { readCarWithRoot, verifyProofs, verifyRepoCar } from '@atproto/repo'
import { collectCar, emptyTreeCid, memoryStore, openTree, walkTree } from '@rookery/repo'
import { must } from '@rookery/std'
import { cidToString } from '@rookery/syntax'
import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type AccountRepo, createAccountRepo } from '../../test-support/account-repo.ts'
import { deleteOf, testWriter, writeOf } from '../../test-support/test-repo.ts'
import {
  BlockNotFoundError,
  BlocksTooLargeError,
  ExportsOverloadedError,
  InvalidCursorError,
  RepoDeactivatedError,
  RepoNotFoundError,
  RepoSuspendedError,
  RepoTakendownError,
} from '../errors.ts'
import type { RecordWrite } from '../index.ts'
import { chunksAheadMax } from '../limits.ts'
import { compactRepo, joinDeltas } from '../storage/compact.ts'
import { findHead } from '../storage/storage-queries.ts'
import { getBlocks } from './get-blocks.ts'
import { blocksMax, exportsMax, waitingExportsMax } from './limits.ts'
import { getRepoStatus, listRepos } from './list-repos.ts'
import { getRecordProof } from './record-proof.ts'
import { RepoExporter } from './repo-exporter.ts'
import { getServableRepo } from './servable-repo.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase({ poolMax: 10 })
})
afterAll(() => db[Symbol.asyncDispose]())

const everybody = { allowInactive: false }
const owner = { allowInactive: true }
// A collection that begins another one's name sorts after it in the tree and before it in the table.
const collections = ['app.bsky.feed.post', 'a.b.c', 'a.b.c.d', 'a.b.c-d.e']

async function exportRepo(repo: AccountRepo, options: { since?: string } = {}): Promise<Buffer> {
  const stream = await new RepoExporter(db.pool).open(repo, { ...everybody, ...options })
  return Buffer.concat(await stream.toArray())
}

async function commit(repo: AccountRepo, writes: RecordWrite[]): Promise<string> {
  await using writer = testWriter(db.database, { signerFor: () => Promise.resolve(repo.sign) })
  return must(await writer.commit(repo, () => writes)).rev
}

async function blocksOf(car: Uint8Array): Promise<string[]> {
  const { blocks } = await collectCar([car])
  return [...blocks].map(({ cid }) => cidToString(cid))
}

/** Writes many records and returns their paths in the order of the tree. */
async function fill(repo: AccountRepo, count: number): Promise<string[]> {
  const paths = Array.from({ length: count }, (_, i) => `${collections[i % collections.length]}/key${i}`)
  for (let i = 0; i < count; i += 200) {
    await commit(
      repo,
      paths.slice(i, i + 200).map((path) => writeOf('create', path, { text: path })),
    )
  }
  return paths.toSorted((a, b) => (a < b ? -1 : 1))
}

describe('RepoExporter', () => {
  // SPEC CAR-2
  test('exports what @atproto/repo verifies, with every record and nothing else', async () => {
    const repo = await createAccountRepo(db.database)
    const paths = await fill(repo, 2_500)
    await commit(repo, [deleteOf(must(paths[7])), writeOf('update', must(paths[8]), { text: 'new' })])
    for (const change of [undefined, joinDeltas, compactRepo]) {
      await change?.(db.pool, repo.accountId)
      const car = await exportRepo(repo)
      const verified = await verifyRepoCar(car, repo.did, repo.keypair.did())
      expect(verified.creates.map(({ collection, rkey }) => `${collection}/${rkey}`).toSorted()).toEqual(
        paths.filter((_, i) => i !== 7).toSorted(),
      )
      const head = must(await findHead(db.pool, repo.accountId))
      expect((await readCarWithRoot(car)).root.toString()).toBe(cidToString(head.head))
      const reached = [cidToString(head.head)]
      const { blocks } = await collectCar([car])
      for await (const { cid } of walkTree(openTree(head.data), memoryStore(blocks)))
        reached.push(cidToString(cid))
      expect(await blocksOf(car)).toEqual(reached)
    }
  }, 60_000)

  test('reads a base of many chunks, whatever of it commits have replaced', async () => {
    const repo = await createAccountRepo(db.database)
    const paths = await fill(repo, 6_000)
    const early = must(await findHead(db.pool, repo.accountId))
    const earlier = new Set(await blocksOf(await exportRepo(repo)))
    await commit(repo, [writeOf('update', must(paths[0]), { text: 'before the base' })])
    const before = new Set(await blocksOf(await exportRepo(repo)))
    await compactRepo(db.pool, repo.accountId)
    const { rows } = await db.pool.query<{ count: number }>(
      'select count(*) from pack where account_id = $1 and chunk > 1',
      [repo.accountId],
    )
    expect(must(rows[0]).count).toBeGreaterThan(chunksAheadMax + 1)
    const { rev } = must(await findHead(db.pool, repo.accountId))
    // Most of one part of the tree, and single records all over it.
    const changed = paths.filter((_, i) => i % 500 === 3 || (i > 2_000 && i < 2_150))
    await commit(
      repo,
      changed.map((path) => writeOf('update', path, { text: 'changed' })),
    )
    await commit(repo, [deleteOf(must(paths[4_000])), deleteOf(must(paths[5_999]))])
    const car = await exportRepo(repo)
    const verified = await verifyRepoCar(car, repo.did, repo.keypair.did())
    expect(verified.creates).toHaveLength(5_998)
    const now = await blocksOf(car)
    for (const [since, had] of [
      [rev, before],
      [early.rev, earlier],
    ] as const) {
      const sent = new Set(await blocksOf(await exportRepo(repo, { since })))
      expect([...sent].filter((cid) => !now.includes(cid))).toEqual([])
      expect(now.filter((cid) => !had.has(cid) && !sent.has(cid))).toEqual([])
      expect(sent.size).toBeLessThan(now.length / 5)
    }
  }, 60_000)

  // SPEC CAR-4
  test('writes each node before its slots and the slots in the order of the paths', async () => {
    const repo = await createAccountRepo(db.database)
    const paths = await fill(repo, 1_200)
    const cids = await blocksOf(await exportRepo(repo))
    const { rows } = await db.pool.query<{ path: string; cid: Buffer }>(
      `select collection || '/' || rkey as path, cid from record where account_id = $1`,
      [repo.accountId],
    )
    const cidOf = new Map(rows.map(({ path, cid }) => [path, cidToString(cid)]))
    const records = new Set(cidOf.values())
    expect(cids.filter((cid) => records.has(cid))).toEqual(paths.map((path) => cidOf.get(path)))
    const head = must(await findHead(db.pool, repo.accountId))
    expect(cids.slice(0, 2)).toEqual([cidToString(head.head), cidToString(head.data)])
  })

  test('exports an empty repo', async () => {
    const repo = await createAccountRepo(db.database)
    const head = must(await findHead(db.pool, repo.accountId))
    expect(await blocksOf(await exportRepo(repo))).toEqual([
      cidToString(head.head),
      cidToString(emptyTreeCid),
    ])
  })

  // SPEC DIFF-2, DIFF-6, DIFF-7
  test('exports since any rev what an earlier copy lacks, never a deleted value', async () => {
    const step = fc.record({
      keys: fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 8 }),
      // Few values: the same record comes back, and lies at several paths.
      value: fc.integer({ min: 0, max: 3 }),
      remove: fc.boolean(),
      pack: fc.constantFrom('leave', 'join', 'compact'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
        const repo = await createAccountRepo(db.database)
        const copies: { rev: string; blocks: Set<string> }[] = []
        const present = new Set<string>()
        for (const { keys, value, remove, pack } of steps) {
          const writes = keys.flatMap((key) => {
            const path = `${collections[key % collections.length]}/k${key}`
            if (remove && !present.has(path)) return []
            const write = remove
              ? deleteOf(path)
              : writeOf(present.has(path) ? 'update' : 'create', path, { value })
            if (remove) present.delete(path)
            else present.add(path)
            return [write]
          })
          if (writes.length === 0) continue
          const rev = await commit(repo, writes)
          if (pack === 'compact') await compactRepo(db.pool, repo.accountId)
          if (pack === 'join') await joinDeltas(db.pool, repo.accountId)
          copies.push({ rev, blocks: new Set(await blocksOf(await exportRepo(repo))) })
        }
        const now = copies.at(-1)?.blocks ?? new Set()
        for (const { rev, blocks } of copies) {
          const since = new Set(await blocksOf(await exportRepo(repo, { since: rev })))
          expect([...since].filter((cid) => !now.has(cid))).toEqual([])
          expect([...now].filter((cid) => !blocks.has(cid) && !since.has(cid))).toEqual([])
        }
        const all = new Set(await blocksOf(await exportRepo(repo, { since: '2222222222222' })))
        expect(all).toEqual(new Set(await blocksOf(await exportRepo(repo))))
      }),
      { numRuns: 12 },
    )
  }, 120_000)

  test('sends little when little came since', async () => {
    const repo = await createAccountRepo(db.database)
    await fill(repo, 1_000)
    await compactRepo(db.pool, repo.accountId)
    const { rev } = must(await findHead(db.pool, repo.accountId))
    await commit(repo, [writeOf('create', 'app.bsky.feed.post/zzz', { text: 'new' })])
    const blocks = await blocksOf(await exportRepo(repo, { since: rev }))
    expect(blocks.length).toBeLessThan(12)
    const { rev: latest } = must(await findHead(db.pool, repo.accountId))
    expect(await blocksOf(await exportRepo(repo, { since: latest }))).toHaveLength(1)
  })

  test('shows one instant while writes and compactions go on', async () => {
    const repo = await createAccountRepo(db.database)
    await fill(repo, 1_500)
    const before = must(await findHead(db.pool, repo.accountId))
    const stream = await new RepoExporter(db.pool).open(repo, everybody)
    const chunks = stream[Symbol.asyncIterator]()
    const parts = [must((await chunks.next()).value as Buffer)]
    await commit(repo, [
      deleteOf('app.bsky.feed.post/key0'),
      writeOf('update', 'a.b.c/key1', { text: 'changed' }),
      writeOf('create', 'a.b.c/zzz', {}),
    ])
    await compactRepo(db.pool, repo.accountId)
    for (let next = await chunks.next(); !next.done; next = await chunks.next())
      parts.push(next.value as Buffer)
    const verified = await verifyRepoCar(Buffer.concat(parts), repo.did, repo.keypair.did())
    expect(verified.creates).toHaveLength(1_500)
    expect(verified.commit.rev).toBe(before.rev)
  })

  test('fails midway rather than end a CAR that is not whole', async () => {
    const repo = await createAccountRepo(db.database)
    await fill(repo, 1_500)
    await db.pool.query(`delete from record where account_id = $1 and rkey = 'key777'`, [repo.accountId])
    await expect(exportRepo(repo)).rejects.toThrow('the records are not those of the tree')
    await db.pool.query(`delete from pack where account_id = $1`, [repo.accountId])
    await expect(exportRepo(repo)).rejects.toThrow('missing')
  })

  test('frees its connection and its place when the reader goes away', async () => {
    await using own = await createTestDatabase({ poolMax: exportsMax })
    const repo = await createAccountRepo(own.database)
    await using writer = testWriter(own.database, { signerFor: () => Promise.resolve(repo.sign) })
    const text = 'x'.repeat(300_000)
    for (let i = 0; i < 10; i++)
      await writer.commit(repo, () => [writeOf('create', `a.b.c/key${i}`, { i, text })])
    const exporter = new RepoExporter(own.pool)
    // More than there are connections: each must be given back, unread, half read or read.
    for (let round = 0; round < 3 * exportsMax; round++) {
      const stream = await exporter.open(repo, everybody)
      if (round % 3 > 0) await stream[Symbol.asyncIterator]().next()
      stream.destroy()
    }
    const streams = await Promise.all(
      Array.from({ length: exportsMax }, () => exporter.open(repo, everybody)),
    )
    const abort = new AbortController()
    const waiting = Array.from({ length: waitingExportsMax }, () =>
      exporter.open(repo, { ...everybody, signal: abort.signal }),
    )
    await expect(exporter.open(repo, everybody)).rejects.toThrow(ExportsOverloadedError)
    abort.abort(new Error('gone'))
    for (const open of waiting) await expect(open).rejects.toThrow('gone')
    const last = exporter.open(repo, everybody)
    for (const stream of streams) stream.destroy()
    await verifyRepoCar(Buffer.concat(await (await last).toArray()), repo.did, repo.keypair.did())
  })
})

describe('reads of one repo', () => {
  test('are refused by status, except to the account itself', async () => {
    const states = {
      deactivated: RepoDeactivatedError,
      suspended: RepoSuspendedError,
      takendown: RepoTakendownError,
    }
    for (const [status, error] of Object.entries(states)) {
      const repo = await createAccountRepo(db.database, { status: status as 'suspended' })
      const record = { ...repo, collection: 'a.b.c', rkey: 'x' }
      await expect(new RepoExporter(db.pool).open(repo, everybody)).rejects.toThrow(error)
      await expect(getServableRepo(db.pool, repo, everybody)).rejects.toThrow(error)
      await expect(getRecordProof(db.pool, record, everybody)).rejects.toThrow(error)
      await expect(getBlocks(db.pool, { ...repo, cids: [] }, everybody)).rejects.toThrow(error)
      const stream = await new RepoExporter(db.pool).open(repo, owner)
      expect(await stream.toArray()).toHaveLength(1)
      expect(await getRepoStatus(db.pool, repo)).toEqual({ did: repo.did, active: false, status })
    }
  })

  test('find nothing on another host', async () => {
    const repo = await createAccountRepo(db.database)
    const elsewhere = { hostId: repo.hostId + 1_000, did: repo.did }
    await expect(new RepoExporter(db.pool).open(elsewhere, owner)).rejects.toThrow(RepoNotFoundError)
    await expect(getServableRepo(db.pool, elsewhere, owner)).rejects.toThrow(RepoNotFoundError)
    await expect(getRepoStatus(db.pool, elsewhere)).rejects.toThrow(RepoNotFoundError)
    await db.pool.query(`insert into account_tombstone (host_id, did, rev) values ($1, 'did:plc:gone', '')`, [
      repo.hostId,
    ])
    const gone = { hostId: repo.hostId, did: 'did:plc:gone' }
    expect(await getRepoStatus(db.pool, gone)).toEqual({ did: gone.did, active: false, status: 'deleted' })
  })

  test('prove that a record is there, or that it is not', async () => {
    const repo = await createAccountRepo(db.database)
    await fill(repo, 300)
    const { cid } = writeOf('create', 'a.b.c/key1', { text: 'a.b.c/key1' }) as { cid: Uint8Array }
    const record = { ...repo, collection: 'a.b.c', rkey: 'key1' }
    const there = await getRecordProof(db.pool, record, everybody)
    const claim = { collection: 'a.b.c', rkey: 'key1', cid: CID.decode(cid) as never }
    const proven = await verifyProofs(there, [claim], repo.did, repo.keypair.did())
    expect(proven).toEqual({ verified: [claim], unverified: [] })
    const nothing = await getRecordProof(db.pool, { ...record, rkey: 'none' }, everybody)
    const absence = { collection: 'a.b.c', rkey: 'none', cid: null }
    expect(await verifyProofs(nothing, [absence], repo.did, repo.keypair.did())).toEqual({
      verified: [absence],
      unverified: [],
    })
  })

  test('get blocks of the present state, all or none', async () => {
    const repo = await createAccountRepo(db.database)
    await fill(repo, 400)
    const { blocks } = await collectCar([await exportRepo(repo)])
    const cids = [...blocks].map(({ cid }) => cid)
    const wanted = cids.slice(0, blocksMax)
    const car = await getBlocks(db.pool, { ...repo, cids: wanted }, everybody)
    expect(await blocksOf(car)).toEqual(wanted.map(cidToString))
    await expect(
      getBlocks(
        db.pool,
        { ...repo, cids: Array.from({ length: blocksMax + 1 }, () => must(cids[0])) },
        everybody,
      ),
    ).rejects.toThrow(BlocksTooLargeError)
    await commit(repo, [deleteOf('a.b.c/key1')])
    const now = new Set(await blocksOf(await exportRepo(repo)))
    const gone = cids.filter((cid) => !now.has(cidToString(cid)))
    expect(gone.length).toBeGreaterThan(2)
    const kept = must(cids.find((cid) => now.has(cidToString(cid))))
    for (const cid of gone) {
      await expect(getBlocks(db.pool, { ...repo, cids: [kept, cid] }, everybody)).rejects.toThrow(
        new BlockNotFoundError(`Could not find cids: ${cidToString(cid)}`).message,
      )
    }
  })
})

describe('listRepos', () => {
  test('pages through the repos of one host in a stable order', async () => {
    const hostname = 'list.test'
    const repos: AccountRepo[] = []
    for (const status of ['active', 'deactivated', 'active', 'takendown', 'active'] as const)
      repos.push(await createAccountRepo(db.database, { hostname, status }))
    await createAccountRepo(db.database)
    const { hostId } = must(repos[0])
    const found = []
    let cursor: string | undefined
    do {
      const page = await listRepos(db.pool, { hostId, limit: 2, cursor })
      found.push(...page.repos)
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(found.map(({ did }) => did)).toEqual(repos.map(({ did }) => did))
    expect(found.map(({ status }) => status)).toEqual([
      undefined,
      'deactivated',
      undefined,
      'takendown',
      undefined,
    ])
    await expect(listRepos(db.pool, { hostId, limit: 2, cursor: 'x' })).rejects.toThrow(InvalidCursorError)
  })
})
