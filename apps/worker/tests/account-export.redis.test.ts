import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import { deleteAccount, findAccountById, scheduleErasure } from '@rookery/accounts'
import {
  type BuildExportDeps,
  buildExport,
  collectExpiredExports,
  collectOrphanExports,
  deleteExport,
  findExport,
  getReadyExport,
  requestExport,
} from '@rookery/archives'
import { type BlobStore, DiskBlobStore, exportPrefix } from '@rookery/blobs'
import { type Queryable, inTransaction } from '@rookery/db'
import { KeyWrapper, SigningKeys } from '@rookery/identity'
import { type JobPayload, type RunningJob, listJobs } from '@rookery/jobs'
import {
  RepoExporter,
  collectOrphanObjects,
  createRepo,
  findBlobUsage,
  processTidClock,
  uploadBlob,
} from '@rookery/records'
import { dayMs, must } from '@rookery/std'
import { createLogger } from '@rookery/telemetry'
import { createHost, createTenant } from '@rookery/tenants'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { type Surroundings, setUp } from './support.ts'

const patience = { timeout: 20_000, interval: 20 }
const lifeMs = 7 * dayMs
let world: Surroundings
let store: BlobStore
let hostId: number
let tenantId: number

beforeEach(async () => {
  world = await setUp()
  store = new DiskBlobStore({ dir: world.blobDir })
  const { kysely } = world.db.database
  tenantId = (await createTenant(kysely, { slug: 'acme', name: 'Acme' })).id
  hostId = (await createHost(kysely, { hostname: 'localhost:2583', tenant: 'acme' })).id
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

/** An account with a repo and a blob of the given size that a record refers to. */
async function addAccount(name: string, blobBytes = 100) {
  const { pool, database } = world.db
  const made = new SigningKeys({ db: database, wrapper: KeyWrapper.fromHex(world.config.identity) }).create()
  const did = `did:plc:${name}`
  const id = await inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ id: number }>(
      `insert into account (host_id, tenant_id, did, handle, email) values ($1, $2, $3, $4, $5) returning id`,
      [hostId, tenantId, did, `${name}.acme.test`, `${name}@mail.test`],
    )
    const accountId = must(rows[0]).id
    const sign = (bytes: Uint8Array): Uint8Array => made.signer.sign(bytes)
    await createRepo(tx, { accountId, hostId, did, status: 'active', sign, clock: processTidClock() })
    return accountId
  })
  const body = Readable.from([Buffer.alloc(blobBytes, name)])
  const upload = { hostId, accountId: id, body, mimeType: 'text/plain', bytesMax: 10_000_000 }
  const { cid } = await uploadBlob({ store, pool }, upload)
  await pool.query(
    `insert into blob_ref (account_id, collection, rkey, cid, rev) values ($1, 'com.example.note', '1', $2, '3kaaaaaaaaa2a')`,
    [id, cid],
  )
  await pool.query(
    `update blob set state = 'permanent', ref_count = 1, unreferenced_at = null where account_id = $1`,
    [id],
  )
  return must(await findAccountById(pool, id))
}

const exportObjects = () => store.list({ prefix: exportPrefix({ hostId }) })

/** Deps of a build in this process, and the job that the last request left. */
function deps(change: Partial<BuildExportDeps> = {}): BuildExportDeps {
  return {
    db: world.db.database,
    store,
    exporter: new RepoExporter(world.db.pool),
    lifeMs,
    placeOf: () => Promise.resolve({ host: 'localhost:2583', tenant: 'acme' }),
    announce: () => Promise.resolve(),
    ...change,
  }
}

type Job = Pick<RunningJob<'account-export'>, 'payload' | 'attempt' | 'signal' | 'log' | 'complete'>

async function takeJob(change: Partial<Job> = {}): Promise<Job> {
  const { rows } = await world.db.pool.query<{ payload: JobPayload<'account-export'> }>(
    `delete from job_outbox where queue = 'account-export' returning payload`,
  )
  return {
    payload: must(rows[0]).payload,
    attempt: 1,
    signal: new AbortController().signal,
    log: createLogger('test', 'silent'),
    complete: () => Promise.resolve(),
    ...change,
  }
}

test('an archive whose commit succeeded stays, whatever its builder was told', async () => {
  const account = await addAccount('lost')
  await requestExport(world.db.database, account, { lifeMs })
  const complete = async (tx: Queryable): Promise<void> => {
    await tx.query('commit')
    throw new Error('the answer was lost')
  }
  await expect(buildExport(deps(), await takeJob({ complete }))).rejects.toThrow('the answer was lost')
  const { objectKey } = await getReadyExport(world.db.pool, account.id)
  expect((await exportObjects()).map(({ key }) => key)).toEqual([objectKey])
})

test('a worker builds the archive beside the blobs, mails that it is ready, and counts it to no quota', async () => {
  const ann = await addAccount('ann')
  const before = await findBlobUsage(world.db.pool, ann.id)
  await requestExport(world.db.database, ann, { lifeMs, locale: 'de' })
  await expect(requestExport(world.db.database, ann, { lifeMs })).rejects.toThrow(
    'There is an archive already',
  )
  await world.start()
  await vi.waitFor(
    async () => expect((await findExport(world.db.pool, ann.id))?.state).toBe('ready'),
    patience,
  )
  const ready = await getReadyExport(world.db.pool, ann.id)
  expect(ready).toMatchObject({ recordsTotal: 0, blobsTotal: 1, blobsDone: 1 })
  expect((await exportObjects()).map(({ key }) => key)).toEqual([ready.objectKey])
  expect(ready.objectKey).toMatch(new RegExp(`^export_${hostId}/${ann.id}/archive_`))
  expect((await buffer((await store.get(ready.objectKey)).body)).length).toBe(ready.size)
  expect(await findBlobUsage(world.db.pool, ann.id)).toEqual(before)
  const mails = await world.db.pool.query(
    `select template, recipient from mail_delivery where account_id = $1`,
    [ann.id],
  )
  expect(mails.rows).toEqual([{ template: 'export-ready', recipient: 'ann@mail.test' }])
  const audit = await world.db.pool.query('select action from audit_entry where did = $1', [ann.did])
  expect(audit.rows).toEqual([{ action: 'account.export.ask' }])
  // The collector of blobs knows nothing of it, however old.
  const late = new Date(Date.now() + 30 * dayMs)
  await collectOrphanObjects({ store, pool: world.db.pool }, { now: late })
  expect(await collectOrphanExports({ db: world.db.database, store }, hostId, { now: late })).toBe(0)
  expect(await exportObjects()).toHaveLength(1)
})

test('one that is cancelled while it is built leaves nothing, nor do two at once more than one', async () => {
  const bob = await addAccount('bob')
  await requestExport(world.db.database, bob, { lifeMs })
  const cancelled = await takeJob()
  await deleteExport({ db: world.db.database, store }, bob)
  await buildExport(deps(), cancelled)
  const asked = {
    placeOf: async () => (
      await deleteExport({ db: world.db.database, store }, bob),
      { host: '', tenant: '' }
    ),
  }
  await requestExport(world.db.database, bob, { lifeMs })
  await buildExport(deps(asked), await takeJob())
  expect(await exportObjects()).toEqual([])
  await requestExport(world.db.database, bob, { lifeMs })
  const twice = await takeJob()
  await Promise.all([buildExport(deps(), twice), buildExport(deps(), twice)])
  const { objectKey } = await getReadyExport(world.db.pool, bob.id)
  expect((await exportObjects()).map(({ key }) => key)).toEqual([objectKey])
})

test('an attempt that fails leaves nothing and is tried again; the last one says so, and one may ask anew', async () => {
  const cyd = await addAccount('cyd')
  await requestExport(world.db.database, cyd, { lifeMs })
  const job = await takeJob()
  const failing = deps({ announce: () => Promise.reject(new Error('no')) })
  await expect(buildExport(failing, job)).rejects.toThrow('no')
  expect([(await findExport(world.db.pool, cyd.id))?.state, await exportObjects()]).toEqual(['building', []])
  await expect(buildExport(failing, { ...job, attempt: 8 })).rejects.toThrow('no')
  expect(await findExport(world.db.pool, cyd.id)).toMatchObject({
    state: 'failed',
    failure: 'Something went wrong here.',
  })
  await requestExport(world.db.database, cyd, { lifeMs })
  // Too large is too large however often it is tried: the job is over.
  await buildExport(deps({ bytesMax: 400 }), await takeJob())
  expect(await findExport(world.db.pool, cyd.id)).toMatchObject({
    state: 'failed',
    failure: 'An archive has at most 400 bytes',
  })
  expect(await exportObjects()).toEqual([])
})

test('is deleted with its row when its time is over, and what a crash left a day later', async () => {
  const dee = await addAccount('dee')
  const gc = { db: world.db.database, store }
  await requestExport(world.db.database, dee, { lifeMs })
  await buildExport(deps(), await takeJob())
  expect(await collectExpiredExports(gc)).toEqual({ deleted: 0, isDone: true })
  await world.db.pool.query(`update account_export set expires_at = now()`)
  await expect(getReadyExport(world.db.pool, dee.id)).rejects.toThrow('There is no archive')
  expect(await collectExpiredExports(gc)).toEqual({ deleted: 1, isDone: true })
  expect(await exportObjects()).toEqual([])
  await store.put(
    `${exportPrefix({ hostId, accountId: dee.id })}repo_left_by_a_crash`,
    Readable.from([Buffer.from('x')]),
  )
  expect(await collectOrphanExports(gc, hostId)).toBe(0)
  expect(await collectOrphanExports(gc, hostId, { now: new Date(Date.now() + 2 * dayMs) })).toBe(1)
  expect(await exportObjects()).toEqual([])
})

test('goes with its account', async () => {
  const eve = await addAccount('eve')
  await requestExport(world.db.database, eve, { lifeMs })
  await buildExport(deps(), await takeJob())
  await deleteAccount({ db: world.db.database, scheduleErasure }, eve.id)
  await world.start()
  await vi.waitFor(async () => expect(await exportObjects()).toEqual([]), patience)
  await vi.waitFor(async () => expect(await listJobs(world.db.pool)).toEqual([]), patience)
})

test('takes the same memory for a large blob as for a small one', async () => {
  const fay = await addAccount('fay', 8_000_000)
  await requestExport(world.db.database, fay, { lifeMs })
  let [held, most] = [0, 0]
  const counting = new Proxy(store, {
    get: (of, name: keyof BlobStore) => {
      if (name !== 'get') return (of[name] as (...all: unknown[]) => unknown).bind(of)
      return async (...call: Parameters<BlobStore['get']>) => {
        const object = await of.get(...call)
        object.body.on('data', (chunk: Buffer) => (most = Math.max(most, (held += chunk.length))))
        return object
      }
    },
  })
  const put: BlobStore['put'] = (key, body, signal) => {
    body.on('data', (chunk: Buffer) => (held -= chunk.length))
    return store.put(key, body, signal)
  }
  await buildExport(
    deps({ store: Object.assign(Object.create(counting) as BlobStore, { put }) }),
    await takeJob(),
  )
  expect((await getReadyExport(world.db.pool, fay.id)).size).toBeGreaterThan(8_000_000)
  expect(most).toBeLessThan(2_000_000)
})
