import { hash } from 'node:crypto'
import { Readable } from 'node:stream'

import { Secp256k1Keypair } from '@atproto/crypto'
import { MemoryBlockstore, Repo, WriteOpAction, getFullRepo, verifyRepoCar } from '@atproto/repo'
import { collectCar, encodeCar } from '@rookery/repo'
import { must } from '@rookery/std'
import { type DataObject, cidToString } from '@rookery/syntax'
import {
  type TestBlobStore,
  type TestDatabase,
  createTestBlobStore,
  createTestDatabase,
} from '@rookery/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type AccountRepo, createAccountRepo } from '../../test-support/account-repo.ts'
import {
  type Records,
  TestImporter,
  blockOf,
  foreignCar,
  foreignRev,
  stateOf,
} from '../../test-support/test-car.ts'
import { deleteOf, queuedEvents, testWriter, writeOf } from '../../test-support/test-repo.ts'
import { type ImportDeps, RepoExporter } from '../index.ts'
import { compactRepo } from '../storage/compact.ts'
import { findHead } from '../storage/storage-queries.ts'

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

function posts(count: number, text = 'text'): Records {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`${post}/key${i}`, { $type: post, text: `${text} ${i}` }]),
  )
}

async function exportRepo(repo: AccountRepo, options: { since?: string } = {}): Promise<Buffer> {
  const stream = await new RepoExporter(db.pool).open(repo, { allowInactive: true, ...options })
  return Buffer.concat(await stream.toArray())
}

/** Requires that tree, records and signature agree, and returns the records' CIDs by path. */
async function contentOf(repo: AccountRepo): Promise<Record<string, string>> {
  const { creates, commit } = await verifyRepoCar(await exportRepo(repo), repo.did, repo.keypair.did())
  expect(commit.rev).toBe(must(await findHead(db.pool, repo.accountId)).rev)
  return Object.fromEntries(
    creates.map(({ collection, rkey, cid }) => [`${collection}/${rkey}`, String(cid)]),
  )
}

function cidsOf(records: Records): Record<string, string> {
  return Object.fromEntries(
    Object.entries(records).map(([path, value]) => [path, cidToString(blockOf(value).cid)]),
  )
}

async function write(repo: AccountRepo, path: string, value: DataObject = {}): Promise<string> {
  await using writer = testWriter(db.database, { signerFor: () => Promise.resolve(repo.sign) })
  return must(await writer.commit(repo, () => [writeOf('create', path, value)])).rev
}

describe('importRepo', () => {
  // SPEC IMP-3, IMP-4
  test('takes any repo that @atproto/repo makes, and gives it back', async () => {
    const record = fc.record({
      collection: fc.constantFrom(post, 'a.b.c', 'a.b.c.d'),
      key: fc.nat(500),
      n: fc.nat(5),
    })
    const key = await Secp256k1Keypair.create()
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 120 }), async (found) => {
        const repo = await createAccountRepo(db.database, { status: 'deactivated' })
        const records = new Map(
          found.map(({ collection, key: rkey, n }) => [`${collection}/k${rkey}`, { n }]),
        )
        const storage = new MemoryBlockstore()
        const created = await Repo.create(
          storage,
          repo.did,
          key,
          [...records].map(([path, value]) => {
            const [collection = '', rkey = ''] = path.split('/')
            return {
              action: WriteOpAction.Create,
              collection: collection as 'a.b.c',
              rkey,
              record: value,
            }
          }),
        )
        const chunks: Uint8Array[] = []
        for await (const chunk of getFullRepo(storage, created.cid)) chunks.push(chunk)
        const { rev } = await importer.import(repo, Buffer.concat(chunks))
        expect(rev > created.commit.rev).toBe(true)
        expect(await contentOf(repo)).toEqual(cidsOf(Object.fromEntries(records)))
        const head = must(await findHead(db.pool, repo.accountId))
        expect(cidToString(head.data)).toBe(created.commit.data.toString())
      }),
      { numRuns: 10 },
    )
  }, 60_000)

  test('replaces what was there, and leaves alone what stays', async () => {
    const repo = await createAccountRepo(db.database)
    await write(repo, `${post}/mine`)
    const before = posts(1_500)
    await importer.import(repo, (await foreignCar(repo.did, before)).bytes)
    const { rev } = must(await findHead(db.pool, repo.accountId))
    const { [`${post}/key3`]: _gone, ...rest } = before
    const after = { ...rest, [`${post}/key4`]: { $type: post, text: 'changed' }, 'a.b.c/new': { n: 1 } }
    const result = await importer.import(repo, (await foreignCar(repo.did, after)).bytes)
    expect(result).toMatchObject({ records: 1_500, changes: 2 })
    expect(await contentOf(repo)).toEqual(cidsOf(after))
    const { rows } = await db.pool.query<{ rev: string; n: number }>(
      'select rev, count(*)::integer as n from record where account_id = $1 group by rev order by rev',
      [repo.accountId],
    )
    expect(rows).toEqual([
      { rev, n: 1_498 },
      { rev: result.rev, n: 2 },
    ])
    // What follows is an ordinary repo: it takes writes and compactions.
    await write(repo, `${post}/later`, { text: 'later' })
    await compactRepo(db.pool, repo.accountId)
    const later = { $type: post, text: 'later' }
    expect(await contentOf(repo)).toEqual(cidsOf({ ...after, [`${post}/later`]: later }))
  })

  // SPEC REP-3, IMP-4, IMP-5
  test('continues above every rev, and asserts the new state of an active account', async () => {
    const repo = await createAccountRepo(db.database)
    const ahead = foreignRev(60_000)
    const { rev } = await importer.import(repo, (await foreignCar(repo.did, posts(3), ahead)).bytes)
    expect(rev > ahead).toBe(true)
    const events = await queuedEvents(db.database, repo.accountId)
    expect(events.map(({ type }) => type)).toEqual(['#commit', '#sync'])
    expect(events.at(-1)?.body).toMatchObject({ did: repo.did, rev })
    expect((await write(repo, `${post}/next`)) > rev).toBe(true)
  })

  // SPEC IMP-3
  test('takes a diff since what it has imported before', async () => {
    const there = await createAccountRepo(db.database, { hostname: 'old.test' })
    const here = await createAccountRepo(db.database, { did: there.did, status: 'deactivated' })
    await importer.import(there, (await foreignCar(there.did, posts(800))).bytes)
    await importer.import(here, await exportRepo(there))
    const { rev } = must(await findHead(db.pool, there.accountId))
    await using writer = testWriter(db.database, { signerFor: () => Promise.resolve(there.sign) })
    await writer.commit(there, () => [
      writeOf('create', `${post}/new`, { text: 'new' }),
      writeOf('update', `${post}/key7`, { text: 'changed' }),
      deleteOf(`${post}/key8`),
    ])
    const diff = await exportRepo(there, { since: rev })
    expect((await collectCar([diff])).blocks.size).toBeLessThan(60)
    const result = await importer.import(here, diff)
    expect(result).toMatchObject({ records: 800, changes: 2 })
    expect(await contentOf(here)).toEqual(await contentOf(there))
  })

  // SPEC IMP-2
  test('ignores blocks that the commit does not reach, repeated ones and their order', async () => {
    const repo = await createAccountRepo(db.database)
    const secret = blockOf({ text: 'of somebody else' })
    const garbage = { bytes: Buffer.from('ff00ff', 'hex') }
    const car = await foreignCar(repo.did, posts(40))
    const odd = { cid: cidOfBytes(garbage.bytes), bytes: garbage.bytes }
    const shuffled = [secret, ...car.records.toReversed(), odd, ...car.nodes, car.commit]
    // `encodeCar` writes each block once: the second half is added as it is.
    const bytes = encodeCar(car.commit.cid, shuffled)
    const again = encodeCar(car.commit.cid, shuffled).subarray(59)
    const result = await importer.import(repo, Buffer.concat([bytes, again]))
    expect(result.records).toBe(40)
    expect(await contentOf(repo)).toEqual(cidsOf(posts(40)))
    const { rows } = await db.pool.query('select 1 from record where account_id = $1', [repo.accountId])
    expect(rows).toHaveLength(40)
  })

  test('refuses an account that is taken down, and one that is gone', async () => {
    const repo = await createAccountRepo(db.database, { status: 'takendown' })
    const { bytes } = await foreignCar(repo.did, posts(2))
    expect((await importer.refused(repo, bytes)).reason).toBe('RepoTakendown')
    const gone = { ...repo, accountId: 999_999 }
    expect((await importer.refused(gone, bytes)).reason).toBe('RepoNotFound')
  })
})

// SPEC IMP-1
describe('a CAR that can’t be imported', () => {
  type Case = { name: string; reason: string; make: (repo: AccountRepo) => Promise<Uint8Array> | Uint8Array }
  const car = (repo: AccountRepo) => foreignCar(repo.did, posts(60, 'theirs'))
  const without = async (repo: AccountRepo, part: 'nodes' | 'records'): Promise<Buffer> => {
    const { commit, nodes, records } = await car(repo)
    if (part === 'nodes') nodes.shift()
    else records.shift()
    return encodeCar(commit.cid, [commit, ...nodes, ...records])
  }
  const cases: Case[] = [
    { name: 'is empty', reason: 'InvalidCar', make: () => Buffer.alloc(0) },
    { name: 'is none', reason: 'InvalidCar', make: () => Buffer.alloc(10_000, 0x7f) },
    {
      name: 'is cut short',
      reason: 'InvalidCar',
      make: async (repo) => (await car(repo)).bytes.subarray(0, -1),
    },
    {
      name: 'has a block that is not what its CID says',
      reason: 'InvalidCar',
      make: async (repo) => {
        const { bytes } = await car(repo)
        bytes[bytes.length - 1]! ^= 1
        return bytes
      },
    },
    { name: 'has a huge header', reason: 'RepoLimitExceeded', make: () => Buffer.from('ffff7f', 'hex') },
    {
      name: 'has two roots',
      reason: 'InvalidImport',
      make: async (repo) => {
        const { commit, bytes } = await car(repo)
        const link = Buffer.concat([Buffer.from('d82a582500', 'hex'), commit.cid])
        const header = Buffer.concat([
          Buffer.from('a265726f6f747382', 'hex'),
          link,
          link,
          Buffer.from('6776657273696f6e01', 'hex'),
        ])
        return Buffer.concat([Buffer.from([header.length]), header, bytes.subarray(59)])
      },
    },
    {
      name: 'is of another DID',
      reason: 'InvalidImport',
      make: async () => (await foreignCar('did:plc:somebodyelse', posts(5))).bytes,
    },
    {
      name: 'is from the future',
      reason: 'InvalidImport',
      make: async (repo) => (await foreignCar(repo.did, posts(5), foreignRev(6 * 60_000))).bytes,
    },
    {
      name: 'lacks its root',
      reason: 'RepoBlockMissing',
      make: async (repo) => {
        const { commit, nodes } = await car(repo)
        return encodeCar(commit.cid, nodes)
      },
    },
    { name: 'lacks a node', reason: 'RepoBlockMissing', make: (repo) => without(repo, 'nodes') },
    { name: 'lacks a record', reason: 'InvalidImport', make: (repo) => without(repo, 'records') },
    {
      name: 'has a root that is no commit',
      reason: 'InvalidRepoCommit',
      make: async (repo) => {
        const { records } = await car(repo)
        return encodeCar(must(records[0]).cid, records)
      },
    },
    {
      name: 'has a tree that is none',
      reason: 'InvalidRepoNode',
      make: (repo) => carOfTree(repo, { e: [], l: null, extra: 1 }),
    },
    {
      name: 'has a tree whose key is on the wrong layer',
      reason: 'InvalidRepoNode',
      make: (repo) => {
        const { cid } = blockOf({})
        const link = { $link: cidToString(cid) }
        const keys = ['a.b.c/aa', 'a.b.c/ab', 'a.b.c/ac', 'a.b.c/ad', 'a.b.c/ae', 'a.b.c/af', 'a.b.c/ag']
        const bytesOf = (text: string) => ({
          $bytes: Buffer.from(text).toString('base64').replace(/=+$/, ''),
        })
        const e = keys.map((key, i) => ({
          k: bytesOf(i === 0 ? key : key.slice(-1)),
          p: i === 0 ? 0 : 7,
          t: null,
          v: link,
        }))
        // All on one node, though a deeper one is hung below: no layer fits.
        const below = blockOf({ e: [], l: null })
        return carOfTree(repo, { e, l: { $link: cidToString(below.cid) } }, [blockOf({}), below])
      },
    },
    {
      name: 'has a record that is no map',
      reason: 'InvalidImport',
      make: (repo) => carWithBlock(repo, Buffer.from('8101', 'hex')),
    },
    {
      name: 'has a record that is no canonical CBOR',
      reason: 'InvalidImport',
      make: (repo) => carWithBlock(repo, Buffer.from('a161611801', 'hex')),
    },
    {
      name: 'stands for more bytes than it has',
      reason: 'InvalidImport',
      make: async (repo) => {
        const large = { text: 'x'.repeat(900_000) }
        return (
          await foreignCar(
            repo.did,
            Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`a.b.c/k${i}`, large])),
          )
        ).bytes
      },
    },
  ]

  test.each(cases)('$name: changes nothing', async ({ reason, make }) => {
    const repo = await createAccountRepo(db.database)
    await write(repo, `${post}/mine`, { text: 'stays' })
    const before = await stateOf(db.database, repo)
    expect(await importer.refused(repo, await make(repo))).toMatchObject({ reason })
    expect(await stateOf(db.database, repo)).toEqual(before)
    expect(await importer.objects(repo)).toEqual([])
  })

  test('is larger than the limit', async () => {
    const repo = await createAccountRepo(db.database)
    const { bytes } = await foreignCar(repo.did, posts(10))
    const exact = new TestImporter(db.database, blobs.store, { bytesMax: bytes.length })
    const short = new TestImporter(db.database, blobs.store, { bytesMax: bytes.length - 1 })
    expect(await short.refused(repo, bytes)).toMatchObject({ reason: 'RepoLimitExceeded' })
    expect((await exact.import(repo, bytes)).records).toBe(10)
  })

  /** A repo whose tree is one hand-made block. */
  async function carOfTree(
    repo: AccountRepo,
    node: DataObject,
    more: { cid: Uint8Array; bytes: Uint8Array }[] = [],
  ): Promise<Buffer> {
    const { commit } = await foreignCar(repo.did, {})
    const tree = blockOf(node)
    const emptyTree = cidOfBytes(blockOf({ e: [], l: null }).bytes)
    const at = Buffer.from(commit.bytes).indexOf(emptyTree)
    const bytes = Buffer.from(commit.bytes)
    bytes.set(tree.cid, at)
    const forged = { cid: cidOfBytes(bytes), bytes }
    return encodeCar(forged.cid, [forged, tree, ...more])
  }

  /** A repo of one record whose block is the given bytes. */
  async function carWithBlock(repo: AccountRepo, bytes: Buffer): Promise<Buffer> {
    const whole = await foreignCar(repo.did, { 'a.b.c/only': { n: 1 } })
    const right = must(whole.records[0]).cid
    const wrong = cidOfBytes(bytes)
    const node = Buffer.from(must(whole.nodes[0]).bytes)
    node.set(wrong, node.indexOf(Buffer.from(right)))
    const commit = Buffer.from(whole.commit.bytes)
    commit.set(cidOfBytes(node), commit.indexOf(Buffer.from(must(whole.nodes[0]).cid)))
    return encodeCar(cidOfBytes(commit), [
      { cid: cidOfBytes(commit), bytes: commit },
      { cid: cidOfBytes(node), bytes: node },
      { cid: wrong, bytes },
    ])
  }
})

describe('imports beside other work', () => {
  test('two at once leave one of the two, whole', async () => {
    const repo = await createAccountRepo(db.database)
    const [one, two] = [posts(300, 'one'), posts(200, 'two')]
    const results = await Promise.all([
      importer.import(repo, (await foreignCar(repo.did, one)).bytes),
      importer.import(repo, (await foreignCar(repo.did, two)).bytes),
    ])
    const last = must(results.toSorted((a, b) => (a.rev < b.rev ? -1 : 1)).at(-1))
    expect(await contentOf(repo)).toEqual(cidsOf(last.records === 300 ? one : two))
  })

  test('a write that comes first is replaced, and its rev exceeded', async () => {
    const repo = await createAccountRepo(db.database)
    const { bytes } = await foreignCar(repo.did, posts(200))
    const key = await importer.upload(repo, bytes)
    let written = ''
    const { store } = blobs
    const slow: ImportDeps['store'] = {
      delete: (at) => store.delete(at),
      get: async (at) => {
        const object = await store.get(at)
        const chunks = (await object.body.toArray()) as Buffer[]
        async function* body(): AsyncGenerator<Buffer> {
          yield* chunks
          written = await write(repo, `${post}/racing`)
        }
        return { ...object, body: Readable.from(body()) }
      },
    }
    const { rev } = await new TestImporter(db.database, store, { store: slow }).run(repo, key)
    expect(rev > written).toBe(true)
    expect(await contentOf(repo)).toEqual(cidsOf(posts(200)))
    const events = await queuedEvents(db.database, repo.accountId)
    expect(events.map(({ type }) => type)).toEqual(['#commit', '#commit', '#sync'])
  })

  test('writes and compactions all through it lose nothing and break nothing', async () => {
    const repo = await createAccountRepo(db.database)
    await using writer = testWriter(db.database, { signerFor: () => Promise.resolve(repo.sign) })
    const { bytes } = await foreignCar(repo.did, posts(1_000))
    const over = new AbortController()
    const writes = async (): Promise<string[]> => {
      const revs: string[] = []
      for (let i = 0; !over.signal.aborted; i++) {
        revs.push(must(await writer.commit(repo, () => [writeOf('create', `a.b.c/w${i}`, { i })])).rev)
        if (i % 5 === 0) await compactRepo(db.pool, repo.accountId)
      }
      return revs
    }
    const running = writes()
    const { rev } = await importer.import(repo, bytes)
    over.abort()
    const later = (await running).filter((written) => written > rev)
    const content = await contentOf(repo)
    for (const path of Object.keys(posts(1_000))) expect(content).toHaveProperty([path])
    expect(Object.keys(content)).toHaveLength(1_000 + later.length)
  })

  test('a crash before the commit leaves all as it was, and the next attempt succeeds', async () => {
    const repo = await createAccountRepo(db.database)
    await write(repo, `${post}/mine`)
    const key = await importer.upload(repo, (await foreignCar(repo.did, posts(100))).bytes)
    const before = await stateOf(db.database, repo)
    const crash = { complete: () => Promise.reject(new Error('the worker lost its claim')) }
    await expect(importer.run(repo, key, crash)).rejects.toThrow('lost its claim')
    expect(await stateOf(db.database, repo)).toEqual(before)
    await importer.run(repo, key)
    const after = await stateOf(db.database, repo)
    expect(await contentOf(repo)).toEqual(cidsOf(posts(100)))
    // The job is done, but a worker that does not know runs it again: its upload is gone.
    await expect(importer.run(repo, key)).rejects.toMatchObject({ reason: 'InvalidImport' })
    expect(await stateOf(db.database, repo)).toEqual(after)
  })

  test('a worker that stops gives the import up at once', async () => {
    const repo = await createAccountRepo(db.database)
    const key = await importer.upload(repo, (await foreignCar(repo.did, posts(2_000))).bytes)
    const stopped = AbortSignal.abort(new Error('the worker stops'))
    await expect(importer.run(repo, key, { signal: stopped })).rejects.toThrow('the worker stops')
    expect(await importer.objects(repo)).toEqual([key])
  })
})

function cidOfBytes(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('01711220', 'hex'), hash('sha256', bytes, 'buffer')])
}
