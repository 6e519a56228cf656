import { hash } from 'node:crypto'

import { listJobs } from '@rookery/jobs'
import { must } from '@rookery/std'
import { cidForRawDigest, cidToString } from '@rookery/syntax'
import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { runCtl } from '../src/app.ts'

const at = ['--host', 'pds.people.com'] as const
const cid = cidForRawDigest(hash('sha256', 'a picture', 'buffer'))
const cidText = cidToString(cid)

let db: TestDatabase
let accountId: number
beforeAll(async () => {
  db = await createTestDatabase()
  await json('tenant', 'create', 'people', '--name', 'People', '--account-blob-bytes-max', '1000')
  await json('host', 'create', 'pds.people.com', '--tenant', 'people')
  const { rows } = await db.pool.query<{ id: number }>(
    `insert into account (host_id, tenant_id, did, handle)
     select id, default_tenant_id, 'did:plc:ann', 'ann.people.com' from host returning id`,
  )
  accountId = must(rows[0]).id
  await db.pool.query(`select from store_blob($1, $2, '1/1/abcdefgh', 'image/png', 100, null, null)`, [
    accountId,
    cid,
  ])
})
afterAll(() => db[Symbol.asyncDispose]())

async function ctl(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const env = { ROOKERY_DATABASE_URL: db.url, ROOKERY_REDIS_URL: 'redis://127.0.0.1:1' }
  const code = await runCtl(argv, { out: (text) => (out += text), err: (text) => (err += text), env })
  return { code, out, err }
}

async function json(...argv: string[]): Promise<unknown> {
  const { code, out, err } = await ctl(...argv, '--json')
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out)
}

describe('ctl usage', () => {
  test('shows what an account and its tenant have and may have', async () => {
    const show = ['usage', 'show', 'ann.people.com', ...at]
    const tenant = { of: 'people', blobs: 1, bytes: 100, quota: null }
    expect(await json(...show)).toEqual([{ of: 'did:plc:ann', blobs: 1, bytes: 100, quota: 1_000 }, tenant])
    const quota = ['usage', 'quota', 'ann.people.com']
    expect(await json(...quota, '5000', ...at)).toMatchObject([{ quota: 5_000 }, tenant])
    expect(await json(...quota, 'none', ...at)).toMatchObject([{ quota: 1_000 }, tenant])
    expect((await ctl(...quota, 'much', ...at)).code).not.toBe(0)
    expect(await json('usage', 'list')).toEqual([{ tenant: 'people', blobs: 1, bytes: 100, quota: null }])
  })

  test('counts anew and tells what was wrong', async () => {
    expect(await json('usage', 'recount', 'people')).toEqual([])
    await db.pool.query('update account_usage set blob_bytes = 7, blob_count = 3')
    await db.pool.query('update tenant_usage set blob_bytes = blob_bytes + 1 where shard = 0')
    expect(await json('usage', 'recount', 'people')).toEqual([
      { of: 'did:plc:ann', before: '3 blobs, 7 bytes', after: '1 blobs, 100 bytes' },
      { of: 'people', before: '1 blobs, 101 bytes', after: '1 blobs, 100 bytes' },
    ])
    expect(await json('usage', 'recount', 'people')).toEqual([])
  })
})

describe('ctl blob', () => {
  const call = (name: string, ...more: string[]) => ['blob', name, 'ann.people.com', cidText, ...at, ...more]

  test('takes a blob down and lifts that', async () => {
    const up = { did: 'did:plc:ann', cid: cidText, state: 'temporary', takedown_ref: null, records: [] }
    expect(await json(...call('show'))).toMatchObject(up)
    expect(await json(...call('takedown', '--dry-run'))).toMatchObject(up)
    expect(await json(...call('takedown', '--ref', 'case-1'))).toMatchObject({
      state: 'quarantined',
      takedown_ref: 'case-1',
    })
    expect(await json(...call('restore'))).toMatchObject(up)
    expect(
      await ctl('blob', 'show', 'ann.people.com', cidToString(cidForRawDigest(Buffer.alloc(32))), ...at),
    ).toMatchObject({ code: 1 })
  })

  test('purges one only when that is confirmed', async () => {
    expect(await json(...call('purge', '--dry-run'))).toMatchObject({ state: 'temporary' })
    expect((await ctl(...call('purge'))).code).toBe(2)
    expect(await listJobs(db.pool)).toEqual([])
    expect(await json(...call('purge', '--yes', '--ref', 'case-2'))).toMatchObject({
      state: 'deleting',
      takedown_ref: 'case-2',
    })
    expect(await listJobs(db.pool)).toMatchObject([
      { queue: 'blob-purge', payload: { accountId, cid: cidText } },
    ])
    expect((await ctl(...call('restore'))).err).toContain('was purged')
  })
})
