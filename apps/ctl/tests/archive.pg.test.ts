import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'

import { findAccountById, putPreferences } from '@rookery/accounts'
import { buildExport, getReadyExport, requestExport } from '@rookery/archives'
import { openBlobStore } from '@rookery/blobs'
import { type JobPayload, JobRelay, JobRunner } from '@rookery/jobs'
import { RepoExporter, importRepo, processTidClock, repoSigner, uploadBlob } from '@rookery/records'
import { must } from '@rookery/std'
import { cidForCbor, cidToString, encodeData } from '@rookery/syntax'
import { createLogger } from '@rookery/telemetry'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type TestAccount, TestCluster } from './test-cluster.ts'

const preferences = [{ $type: 'app.bsky.actor.defs#adultContentPref', enabled: false }]
let cluster: TestCluster
let worker: AsyncDisposable
beforeAll(async () => {
  cluster = await TestCluster.start()
  await cluster.json('host', 'create', 'new.people.com', '--tenant', 'people')
  worker = startImports()
})
afterAll(async () => {
  await worker[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})

const blobStore = () => openBlobStore({ driver: 'disk', dir: join(cluster.directory, 'blobs') })

/** Imports repos as a worker does. */
function startImports(): AsyncDisposable {
  const { db, redis, signingKeys } = cluster
  const store = blobStore()
  const stack = new AsyncDisposableStack()
  stack.use(store)
  const deps = {
    pool: db.pool,
    store,
    clock: processTidClock(),
    signerFor: repoSigner(signingKeys),
    bytesMax: 10_000_000,
    onStored: () => {},
  }
  const options = {
    log: createLogger('test', 'silent'),
    pool: db.pool,
    redisUrl: redis.url,
    keys: redis.keys,
  }
  stack.use(new JobRelay(options))
  stack.use(
    new JobRunner({
      ...options,
      drainMs: 1_000,
      processors: {
        'repo-import': (job) =>
          importRepo(deps, {
            ...job.payload,
            signal: job.signal,
            log: job.log,
            report: (progress) => job.report(progress),
            complete: (tx, result) => job.complete(tx, result),
          }),
      },
    }),
  )
  return stack
}

/** Makes an account with two records, a blob that a third refers to, and preferences. */
async function addAccount(name: string): Promise<TestAccount & { blob: string }> {
  const account = await cluster.addAccount(name)
  await cluster.write(account, ['a', 'b'])
  await using store = blobStore()
  const { id: accountId, hostId } = account
  const body = Readable.from([Buffer.from(`a picture of ${name}`)])
  const { cid, mimeType, size } = await uploadBlob(
    { store, pool: cluster.db.pool },
    { hostId, accountId, body, bytesMax: 100, mimeType: 'text/plain' },
  )
  const blob = cidToString(cid)
  const value = { $type: 'blob', ref: { $link: blob }, mimeType, size }
  const bytes = encodeData({ $type: 'com.example.note', picture: value })
  const record = { collection: 'com.example.note', rkey: 'picture', cid: cidForCbor(bytes), bytes }
  await cluster.commit(account, [{ action: 'create', ...record, link: undefined, blobs: [cid] }])
  await putPreferences({ db: cluster.db.database }, accountId, preferences, { isFullAccess: true })
  return { ...account, blob }
}

test('an account moves to another host as a directory, with all but its secrets', async () => {
  const ann = await addAccount('ann')
  const to = join(cluster.directory, 'one')
  const at = ['--host', 'pds.people.com'] as const
  const { directory, blobs } = await cluster.json('archive', 'export', 'ann.people.com', ...at, '--to', to)
  expect(blobs).toBe(1)
  expect((await readdir(directory)).sort()).toEqual([
    'README.txt',
    'account.json',
    'blobs',
    'preferences.json',
    'repo.car',
  ])
  expect(await readFile(join(directory, 'blobs', ann.blob), 'utf8')).toBe('a picture of ann')
  expect(await readFile(join(directory, 'account.json'), 'utf8')).not.toMatch(/password|wrapped/)
  expect(
    await cluster.json('archive', 'import', directory, '--host', 'new.people.com', '--dry-run'),
  ).toMatchObject({
    did: ann.did,
    blobs: 1,
  })

  const call = ['archive', 'import', directory, '--host', 'new.people.com'] as const
  expect(await cluster.json(...call)).toMatchObject({ did: ann.did, status: 'deactivated' })
  // Again, it goes on, and then points the DID there.
  const { status, signingKey } = await cluster.json(...call, '--activate')
  expect(status).toBe('active')
  const data = await cluster.identities().data(ann.did)
  expect(data.verificationMethods).toEqual({ atproto: signingKey })
  expect(data.services['atproto_pds']?.endpoint).toBe('https://new.people.com')
  expect((await cluster.ctl(...call)).code).toBe(1)

  const there = ['--account', ann.did, '--host', 'new.people.com'] as const
  const { out } = await cluster.ctl('doctor', ...there, '--json')
  const { findings } = JSON.parse(out) as { findings: { problem: string }[] }
  // Nothing answers under the handle here.
  expect(findings.map(({ problem }) => problem)).toEqual(['the handle ann.people.com does not name it'])
  const { rows } = await cluster.db.pool.query<{ rkey: string; value: object }>(
    `select r.rkey, p.value from account a join record r on r.account_id = a.id
       join preference p on p.account_id = a.id join host h on h.id = a.host_id
      where h.hostname = 'new.people.com' order by r.rkey`,
  )
  expect(rows.map(({ rkey, value }) => [rkey, value])).toEqual([
    ['a', preferences[0]],
    ['b', preferences[0]],
    ['picture', preferences[0]],
  ])
}, 30_000)

/** Builds the archive that the owner asked for, as a worker does, and returns the file that the owner downloads. */
async function downloadArchive({ id }: TestAccount, name: string): Promise<string> {
  const { database, pool } = cluster.db
  const account = must(await findAccountById(pool, id))
  await requestExport(database, account, { lifeMs: 60_000 })
  const { rows } = await pool.query<{ payload: JobPayload<'account-export'> }>(
    `delete from job_outbox where queue = 'account-export' returning payload`,
  )
  await using store = blobStore()
  const deps = {
    db: database,
    store,
    exporter: new RepoExporter(pool),
    lifeMs: 60_000,
    placeOf: () => Promise.resolve({ host: 'pds.people.com', tenant: 'people' }),
    announce: () => Promise.resolve(),
  }
  await buildExport(deps, {
    payload: must(rows[0]).payload,
    attempt: 1,
    signal: new AbortController().signal,
    log: createLogger('test', 'silent'),
    complete: () => Promise.resolve(),
  })
  const { objectKey } = await getReadyExport(pool, id)
  const { body } = await store.get(objectKey)
  const file = join(cluster.directory, name)
  await writeFile(file, body)
  return file
}

async function reposOf(did: string): Promise<{ data: string; rev: string }[]> {
  const { rows } = await cluster.db.pool.query<{ data: string; rev: string }>(
    `select encode(data, 'hex') as data, rev from repo where did = $1 order by host_id`,
    [did],
  )
  return rows
}

test('the file that an owner downloads is imported at another host: the same tree, and every blob', async () => {
  const eve = await addAccount('eve')
  const file = await downloadArchive(eve, 'eve.tar')
  const call = ['archive', 'import', file, '--host', 'new.people.com'] as const
  expect(await cluster.json(...call, '--dry-run')).toMatchObject({ did: eve.did, blobs: 1 })
  expect(await cluster.json(...call)).toMatchObject({ did: eve.did, status: 'deactivated' })
  const [here, there] = await reposOf(eve.did)
  expect(there?.data).toBe(must(here).data)
  const { rows } = await cluster.db.pool.query<{ id: number; key: string; state: string }>(
    `select a.id, b.object_key as key, b.state from account a join blob b on b.account_id = a.id
      where a.did = $1 and a.id <> $2`,
    [eve.did, eve.id],
  )
  expect(rows).toMatchObject([{ state: 'permanent' }])
  await using store = blobStore()
  const { body } = await store.get(must(rows[0]).key)
  expect(await text(body)).toBe('a picture of eve')
  const left = (await readdir(cluster.directory)).filter((name) => name.startsWith('eve.tar-'))
  expect(left).toEqual([])
}, 30_000)

test('a file that is cut short, or none of ours, is imported as nothing', async () => {
  const fay = await addAccount('fay')
  const whole = await readFile(await downloadArchive(fay, 'fay.tar'))
  for (const [name, bytes] of [
    ['cut', whole.subarray(0, whole.length - 3_000)],
    ['other', Buffer.from('no archive at all')],
  ] as const) {
    const file = join(cluster.directory, `${name}.tar`)
    await writeFile(file, bytes)
    const { code, err } = await cluster.ctl('archive', 'import', file, '--host', 'new.people.com')
    expect([code, err]).toEqual([1, expect.stringMatching(/archive/i)])
  }
  expect(await reposOf(fay.did)).toHaveLength(1)
}, 30_000)

test('a tenant is exported whole, and what is there already is left out the next time', async () => {
  await cluster.json('tenant', 'create', 'other', '--name', 'Other')
  const [bob, cyd] = [await addAccount('bob'), await addAccount('cyd')]
  await cluster.db.pool.query(
    `update account set tenant_id = (select id from tenant where slug = 'other') where id = any($1)`,
    [[bob.id, cyd.id]],
  )
  const to = join(cluster.directory, 'all')
  const call = ['archive', 'export-tenant', 'other', '--to', to] as const
  expect(await cluster.json(...call, '--dry-run')).toEqual({ wouldExport: 2 })
  expect(await cluster.json(...call)).toEqual({ exported: 2, failed: [] })
  expect(await cluster.json(...call)).toEqual({ exported: 0, failed: [] })
  const directory = join(to, bob.did.replaceAll(':', '_'))
  await writeFile(join(directory, 'blobs', bob.blob), 'another picture')
  const damaged = await cluster.ctl('archive', 'import', directory, '--host', 'new.people.com')
  expect(damaged).toMatchObject({ code: 1, out: '' })
  expect((await cluster.ctl('archive', 'import', to, '--host', 'new.people.com')).code).toBe(1)
}, 30_000)
