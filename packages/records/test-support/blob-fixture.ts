import { Readable } from 'node:stream'

import { inTransaction } from '@rookery/db'
import { must } from '@rookery/std'
import type { Cid } from '@rookery/syntax'
import { createTestBlobStore, createTestDatabase } from '@rookery/testkit'

import {
  type BlobDeps,
  type RecordWrite,
  type RepoRef,
  type StoredBlob,
  type StoredCommit,
  BlobNotFoundError,
  createRepo,
  uploadBlob,
} from '../src/index.ts'
import { createTestRepo, deleteOf, testClock, testWriter, writeOf } from './test-repo.ts'

/** A PNG's first bytes, enough to be recognised. */
export const png = Buffer.from(
  '89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082',
  'hex',
)

/** A change of what an account's records refer to. */
type RefChange = { accountId: number; cid: Cid; rkey: string }

/** A database, a store and a writer of repos for tests of blobs, and what such tests do again and again. */
export type BlobFixture = AsyncDisposable & {
  deps: BlobDeps
  pool: BlobDeps['pool']
  store: BlobDeps['store']
  /** Makes requests to the store fail until the result is disposed of. */
  inject: Awaited<ReturnType<typeof createTestBlobStore>>['inject']
  hostId: number
  /** Adds an account with an empty repo and returns its id. */
  createAccount(): Promise<number>
  /** Uploads bytes, as text/plain unless they show another type. */
  upload(accountId: number, bytes: Uint8Array, mimeType?: string): Promise<StoredBlob>
  /** Stores a commit. */
  commit(accountId: number, writes: readonly RecordWrite[]): Promise<StoredCommit>
  /** Commits a record that refers to the blob; undefined if the blob could not be referred to. */
  addRef(change: RefChange): Promise<StoredCommit | undefined>
  /** Commits the deletion of such a record. */
  removeRef(change: Omit<RefChange, 'cid'>): Promise<StoredCommit>
  /** Adds a reference to a blob that need not be there, as an import does. */
  importRef(change: RefChange): Promise<void>
  row(accountId: number, cid: Cid): Promise<Record<string, unknown> | undefined>
  usage(accountId: number): Promise<{ blob_bytes: number; blob_count: number } | undefined>
  /** Every object of the account, by key. */
  objects(accountId: number): Promise<string[]>
  /** Makes what nothing refers to look older, in milliseconds. */
  age(accountId: number, ms: number): Promise<void>
}

/** Returns a write of a post that refers to blobs. */
export function postWith(action: 'create' | 'update', rkey: string, blobs: readonly Cid[]): RecordWrite {
  const write = writeOf(action, `app.bsky.feed.post/${rkey}`, { text: `${action} ${Math.random()}` })
  return write.action === 'delete' ? write : { ...write, blobs }
}

/** Opens a fixture with a store of the given driver. */
export async function openBlobFixture(driver: 's3' | 'disk'): Promise<BlobFixture> {
  const { database, ...db } = await openDatabase()
  const blobs = await createTestBlobStore(driver)
  const writer = testWriter(database)
  const { pool } = database
  const { store } = blobs
  const deps = { pool, store }
  const repos = new Map<number, RepoRef>()
  const commit: BlobFixture['commit'] = async (accountId, writes) =>
    must(await writer.commit(must(repos.get(accountId)), () => writes), 'the plan writes')
  return {
    ...queries(deps, db.hostId),
    deps,
    pool,
    store,
    hostId: db.hostId,
    inject: (fault) => blobs.inject(fault),
    createAccount: async () => {
      const repo = await createAccount(pool, db.hostId, db.sign)
      repos.set(repo.accountId, repo)
      return repo.accountId
    },
    upload: (accountId, bytes, mimeType = 'text/plain') => {
      const body = Readable.from([Buffer.from(bytes)])
      return uploadBlob(deps, { hostId: db.hostId, accountId, body, mimeType, bytesMax: 1_000_000 })
    },
    commit,
    addRef: async ({ accountId, cid, rkey }) => {
      try {
        return await commit(accountId, [postWith('create', rkey, [cid])])
      } catch (error) {
        if (error instanceof BlobNotFoundError) return undefined
        throw error
      }
    },
    removeRef: ({ accountId, rkey }) => commit(accountId, [deleteOf(`app.bsky.feed.post/${rkey}`)]),
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]()
      await blobs[Symbol.asyncDispose]()
      await db.dispose()
    },
  }
}

async function openDatabase() {
  const opened = await createTestDatabase()
  const { rows } = await opened.pool.query<{ id: number }>(
    `with owner as (insert into tenant (slug, name) values ('demo', 'Demo') returning id)
     insert into host (hostname, public_url, service_did, default_tenant_id)
     select 'pds.test', 'https://pds.test', 'did:web:pds.test', id from owner returning id`,
  )
  // The key that the test writer signs with; account ids of the fixture start above this repo's.
  const { sign } = await createTestRepo(opened.database)
  await opened.pool.query('alter table account alter column id restart with 1000')
  const { database } = opened
  return { database, sign, hostId: must(rows[0]).id, dispose: () => opened[Symbol.asyncDispose]() }
}

async function createAccount(
  pool: BlobDeps['pool'],
  hostId: number,
  sign: Parameters<typeof createRepo>[1]['sign'],
): Promise<RepoRef> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<RepoRef>(
      `insert into account (host_id, tenant_id, did)
       select $1, default_tenant_id, 'did:plc:' || gen_random_uuid() from host where id = $1
       returning id as "accountId", did`,
      [hostId],
    )
    const repo = must(rows[0])
    await createRepo(tx, { ...repo, hostId, status: 'active', sign, clock: testClock() })
    return repo
  })
}

function queries(
  { pool, store }: BlobDeps,
  hostId: number,
): Pick<BlobFixture, 'row' | 'usage' | 'objects' | 'age' | 'importRef'> {
  return {
    row: async (accountId, cid) => {
      const { rows } = await pool.query<Record<string, unknown>>(
        'select * from blob where account_id = $1 and cid = $2',
        [accountId, cid],
      )
      return rows[0]
    },
    usage: async (accountId) => {
      const { rows } = await pool.query<{ blob_bytes: number; blob_count: number }>(
        'select blob_bytes, blob_count from account_usage where account_id = $1',
        [accountId],
      )
      return rows[0]
    },
    objects: async (accountId) => {
      const page = await store.list({ prefix: `${hostId}/${accountId}/` })
      return page.map((object) => object.key)
    },
    age: async (accountId, ms) => {
      await pool.query(
        `update blob set unreferenced_at = unreferenced_at - $2 * interval '1 millisecond' where account_id = $1`,
        [accountId, ms],
      )
    },
    importRef: ({ accountId, cid, rkey }) =>
      inTransaction(pool, async (tx) => {
        await tx.query('update repo set updated_at = now() where account_id = $1', [accountId])
        await tx.query(`insert into blob_ref values ($1, 'app.bsky.feed.post', $2, $3, '3333333333333')`, [
          accountId,
          rkey,
          cid,
        ])
        await tx.query(
          `update blob set ref_count = ref_count + 1, state = 'permanent', unreferenced_at = null
           where account_id = $1 and cid = $2 and state in ('temporary', 'permanent')`,
          [accountId, cid],
        )
      }),
  }
}
