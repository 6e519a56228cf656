import { Readable } from 'node:stream'

import type { Database } from '@rookery/db'
import { inTransaction } from '@rookery/db'
import type { Cid } from '@rookery/syntax'
import { createTestBlobStore, createTestDatabase } from '@rookery/testkit'

import type { BlobDeps, StoredBlob } from '../upload-blob.ts'
import { uploadBlob } from '../upload-blob.ts'

/** A PNG's first bytes, enough to be recognised. */
export const png = Buffer.from(
  '89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082',
  'hex',
)

/** A database and a store for tests of blobs, and what such tests do again and again. */
export type BlobFixture = AsyncDisposable & {
  deps: BlobDeps
  pool: Database['pool']
  store: BlobDeps['store']
  inject: Awaited<ReturnType<typeof createTestBlobStore>>['inject']
  hostId: number
  /** Adds an account with a repo and returns its id. */
  createAccount(): Promise<number>
  /** Uploads bytes, as text/plain unless they show another type. */
  upload(accountId: number, bytes: Uint8Array, mimeType?: string): Promise<StoredBlob>
  row(accountId: number, cid: Cid): Promise<Record<string, unknown> | undefined>
  usage(accountId: number): Promise<{ blob_bytes: number; blob_count: number } | undefined>
  /** Every object of the account, by key. */
  objects(accountId: number): Promise<string[]>
  /** Makes what nothing refers to look older, in milliseconds. */
  age(accountId: number, ms: number): Promise<void>
}

/** Opens a fixture with a store of the given driver. */
export async function openBlobFixture(driver: 's3' | 'disk'): Promise<BlobFixture> {
  const database = await createTestDatabase()
  const blobs = await createTestBlobStore(driver)
  const { pool } = database
  const { store } = blobs
  const deps = { pool, store }
  const hostId = await createHost(pool)
  return {
    deps,
    pool,
    store,
    hostId,
    inject: (fault) => blobs.inject(fault),
    createAccount: () => createAccount(pool, hostId),
    upload: (accountId, bytes, mimeType = 'text/plain') =>
      uploadBlob(deps, { hostId, accountId, body: Readable.from([bytes]), mimeType, bytesMax: 1_000_000 }),
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
    async [Symbol.asyncDispose]() {
      await blobs[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

async function createHost(pool: Database['pool']): Promise<number> {
  const { rows } = await pool.query<{ id: number }>(
    `with owner as (insert into tenant (slug, name) values ('demo', 'Demo') returning id)
     insert into host (hostname, public_url, service_did, default_tenant_id)
     select 'pds.test', 'https://pds.test', 'did:web:pds.test', id from owner returning id`,
  )
  return rows[0]?.id ?? 0
}

async function createAccount(pool: Database['pool'], hostId: number): Promise<number> {
  const { rows } = await pool.query<{ id: number }>(
    `with owner as (
       insert into account (host_id, tenant_id, did)
       select $1, default_tenant_id, 'did:plc:' || gen_random_uuid() from host where id = $1 returning id, did
     ), repo as (
       insert into repo (account_id, host_id, did, rev, head, data, commit)
       select id, $1, did, '2222222222222', ''::bytea, ''::bytea, ''::bytea from owner
     )
     select id from owner`,
    [hostId],
  )
  return rows[0]?.id ?? 0
}

/** A change of references, as the transaction of a commit makes it. */
export type RefChange = { accountId: number; cid: Cid; rkey: string; rev?: string }

/** Adds a reference by the rules that the schema states; returns whether the blob could be referred to. */
export async function addRef(
  pool: Database['pool'],
  { accountId, cid, rkey, rev = '3333333333333' }: RefChange,
): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    await client.query('update repo set rev = $2 where account_id = $1', [accountId, rev])
    await client.query(`insert into blob_ref values ($1, 'app.bsky.feed.post', $2, $3, $4)`, [
      accountId,
      rkey,
      cid,
      rev,
    ])
    const { rowCount } = await client.query(
      `update blob set ref_count = ref_count + 1, state = 'permanent', unreferenced_at = null
       where account_id = $1 and cid = $2 and state in ('temporary', 'permanent') and takedown_ref is null`,
      [accountId, cid],
    )
    if (rowCount === 0)
      await client.query(`delete from blob_ref where account_id = $1 and cid = $2`, [accountId, cid])
    return rowCount === 1
  })
}

/** Adds a reference to a blob that need not be there, as an import does. */
export async function importRef(
  pool: Database['pool'],
  { accountId, cid, rkey, rev = '3333333333333' }: RefChange,
): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query('update repo set rev = $2 where account_id = $1', [accountId, rev])
    await client.query(`insert into blob_ref values ($1, 'app.bsky.feed.post', $2, $3, $4)`, [
      accountId,
      rkey,
      cid,
      rev,
    ])
    await client.query(
      `update blob set ref_count = ref_count + 1, state = 'permanent', unreferenced_at = null
       where account_id = $1 and cid = $2 and state in ('temporary', 'permanent')`,
      [accountId, cid],
    )
  })
}

/** Removes a reference by the rules that the schema states. */
export async function removeRef(pool: Database['pool'], { accountId, cid, rkey }: RefChange): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query('update repo set rev = rev where account_id = $1', [accountId])
    await client.query('delete from blob_ref where account_id = $1 and cid = $2 and rkey = $3', [
      accountId,
      cid,
      rkey,
    ])
    await client.query(
      `update blob set ref_count = ref_count - 1,
         unreferenced_at = case when ref_count = 1 then now() end
       where account_id = $1 and cid = $2`,
      [accountId, cid],
    )
  })
}
