import { Readable } from 'node:stream'

import { scheduleErasure, findAccountById, deleteAccount } from '@rookery/accounts'
import { type BlobStore, DiskBlobStore } from '@rookery/blobs'
import { type JobPayload, listJobs } from '@rookery/jobs'
import { uploadBlob } from '@rookery/records'
import { must } from '@rookery/std'
import { createLogger } from '@rookery/telemetry'
import { createHost, createTenant } from '@rookery/tenants'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { accountDeletion } from '../src/processors/account-deletion.ts'
import { type Surroundings, setUp } from './support.ts'

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

/** Tables that keep what they have of a deleted account for a while: what happened, and what was mailed. */
const kept = ['event_queue', 'event_log', 'mail_delivery']

/** Every other table that has rows of accounts. */
async function accountTables(): Promise<string[]> {
  const { rows } = await world.db.pool.query<{ name: string }>(
    `select table_name as name from information_schema.columns join pg_class on relname = table_name
      where column_name = 'account_id' and table_schema = 'public' and not relispartition
        and table_name <> all($1) order by 1`,
    [kept],
  )
  return ['account', ...rows.map(({ name }) => name)]
}

/** An account with something in every table, and with more content than fits in one batch. */
async function createFullAccount(name: string, deleteAfter: Date | null): Promise<number> {
  const { pool } = world.db
  const { rows } = await pool.query<{ id: number }>(
    `insert into account (host_id, tenant_id, did, handle, deactivated_at, delete_after)
     values ($1, $2, 'did:plc:' || $3, $3 || '.acme.test', now(), $4) returning id`,
    [hostId, tenantId, name, deleteAfter],
  )
  const { id } = must(rows[0])
  await pool.query(
    `insert into repo (account_id, host_id, did, status, rev, head, data, commit)
     values ($1, $2, 'did:plc:' || $3, 'deactivated', '3kaaaaaaaaa2a', '', '', '')`,
    [id, hostId, name],
  )
  await pool.query(
    `insert into record (account_id, collection, rkey, cid, rev, bytes)
     select $1, 'app.bsky.feed.post', n::text, '', '3kaaaaaaaaa2a', '' from generate_series(1, 2500) n`,
    [id],
  )
  await pool.query(
    `insert into pack (account_id, rev, kind, bytes) select $1, n::text, 'delta', '' from generate_series(1, 1200) n`,
    [id],
  )
  await pool.query(
    `insert into refresh_token (account_id, id, expires_at) values ($1, 'token', now() + interval '1 day')`,
    [id],
  )
  for (let n = 0; n < 3; n++) {
    const body = Readable.from([Buffer.from(`${name} ${n}`)])
    await uploadBlob({ store, pool }, { hostId, accountId: id, body, mimeType: 'text/plain', bytesMax: 100 })
  }
  await pool.query(
    `insert into blob_ref (account_id, collection, rkey, cid, rev)
     select account_id, 'app.bsky.feed.post', '1', cid, '3kaaaaaaaaa2a' from blob where account_id = $1`,
    [id],
  )
  const rowsOfOne = [
    `insert into signing_key (account_id, did_key, wrapped) values ($1, '', '')`,
    `insert into app_password (account_id, name, password_hash, privileged) values ($1, 'app', '', false)`,
    `insert into email_token (account_id, purpose, token_hash) values ($1, 'delete_account', '')`,
    `insert into preference (account_id, position, full_access_only, value) values ($1, 0, false, '{}')`,
    `insert into account_export (account_id, host_id, tenant_id, id, expires_at)
     select id, host_id, tenant_id, 'x', now() + interval '1 day' from account where id = $1`,
    `insert into account_move (account_id, host_id, pds_url, wrapped, expires_at)
     select id, host_id, '', '', now() + interval '1 day' from account where id = $1`,
    `insert into totp (account_id, wrapped) values ($1, '')`,
    `insert into recovery_code (account_id, code_hash) values ($1, '')`,
    `insert into passkey (account_id, credential_id, host_id, public_key, counter, transports, name)
     select id, 'credential ' || id, host_id, '', 0, '{}', 'key' from account where id = $1`,
    `insert into sign_in_failure (account_id, passwords, codes) values ($1, 1, 0)`,
    `insert into known_device (account_id, device_id) values ($1, 'd')`,
    `insert into oauth_device_account (host_id, device_id, account_id) select host_id, 'd', id from account where id = $1`,
    `insert into oauth_grant (account_id, client_id, scopes) values ($1, 'app', '{}')`,
    `insert into oauth_request (host_id, id, account_id, client_id, parameters, expires_at)
     select host_id, 'request ' || id, id, 'app', '{}', now() from account where id = $1`,
    `insert into oauth_token (host_id, account_id, id, client_id, client_auth, parameters, scope, created_at,
       updated_at, expires_at)
     select host_id, id, 'token ' || id, 'app', '{}', '{}', '', now(), now(), now() from account where id = $1`,
  ]
  for (const insert of rowsOfOne) await pool.query(insert, [id])
  return id
}

async function leftOf(accountId: number): Promise<string[]> {
  const left: string[] = []
  for (const table of await accountTables()) {
    const column = table === 'account' ? 'id' : 'account_id'
    const { rows } = await world.db.pool.query(`select from ${table} where ${column} = $1 limit 1`, [
      accountId,
    ])
    if (rows.length > 0) left.push(table)
  }
  const objects = await store.list({ prefix: `${hostId}/${accountId}/` })
  return objects.length > 0 ? [...left, 'objects'] : left
}

/** Whoever adds a table gives `createFullAccount` a row of it, and deletes it with the account. */
const everything = async (): Promise<string[]> => [...(await accountTables()), 'objects']
const anHour = 3_600_000
const patience = { timeout: 20_000, interval: 50 }

// SPEC ACC-9
test('an account is deleted with everything of it when its time has come, and nothing of another', async () => {
  const due = await createFullAccount('due', new Date(Date.now() - 1_000))
  const later = await createFullAccount('later', new Date(Date.now() + anHour))
  expect(await leftOf(due)).toEqual(await everything())
  await world.start()
  await vi.waitFor(async () => expect(await leftOf(due)).toEqual([]), patience)
  await vi.waitFor(async () => expect(await listJobs(world.db.pool)).toEqual([]), patience)
  expect(await leftOf(later)).toEqual(await everything())
  const { rows } = await world.db.pool.query('select did from account_tombstone')
  expect(rows).toEqual([{ did: 'did:plc:due' }])
  const events = await world.db.pool.query('select account_id, kind from event_queue')
  expect(events.rows).toEqual([{ account_id: due, kind: 'account' }])
})

test('what a deletion by its owner leaves is erased, also after an attempt that was cut short', async () => {
  const accountId = await createFullAccount('owner', null)
  const account = must(await findAccountById(world.db.pool, accountId))
  await deleteAccount({ db: world.db.database, scheduleErasure }, accountId)
  const run = (signal: AbortSignal): Promise<unknown> => {
    const payload: JobPayload<'account-deletion'> = { hostId, tenantId, accountId, did: account.did }
    const job = { id: 1, payload, attempt: 1, signal, log: createLogger('test', 'silent') }
    const nothing = (): Promise<void> => Promise.resolve()
    const calls = { report: nothing, complete: nothing }
    return Promise.resolve(accountDeletion({ db: world.db.database, store })({ ...job, ...calls }))
  }
  const abort = new AbortController()
  // Cut short between records and objects.
  const cut = run(abort.signal)
  await vi.waitFor(async () => expect(await leftOf(accountId)).not.toContain('record'), {
    timeout: 20_000,
    interval: 1,
  })
  abort.abort(new Error('cut short'))
  await cut.catch(() => undefined)
  await world.start()
  await vi.waitFor(async () => expect(await listJobs(world.db.pool)).toEqual([]), patience)
  expect(await leftOf(accountId)).toEqual([])
  await run(new AbortController().signal)
})

test('an account that was activated before its time is left alone', async () => {
  const accountId = await createFullAccount('back', null)
  const account = must(await findAccountById(world.db.pool, accountId))
  await scheduleErasure(world.db.pool, account)
  await world.start()
  await vi.waitFor(async () => expect(await listJobs(world.db.pool)).toEqual([]), patience)
  expect(await leftOf(accountId)).toEqual(await everything())
})
