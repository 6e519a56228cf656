import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { openBlobStore } from '@rookery/blobs'
import { addJob } from '@rookery/jobs'
import { uploadBlob } from '@rookery/records'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { type TestAccount, TestCluster } from './test-cluster.ts'

const at = ['--host', 'pds.people.com'] as const
type Found = { severity: string; check: string; subject: string; problem: string; hint: string }

let cluster: TestCluster
let account: TestAccount
beforeAll(async () => {
  cluster = await TestCluster.start()
})
afterAll(() => cluster[Symbol.asyncDispose]())

/** Runs the doctor; returns what it found, which must be told by its exit code. */
async function findings(env: Record<string, string>, ...argv: string[]): Promise<Found[]> {
  const { code, out } = await cluster.ctlWith(env, 'doctor', ...argv, '--json')
  const { findings } = JSON.parse(out) as { findings: Found[] }
  expect(code).toBe(findings.length === 0 ? 0 : 3)
  return findings
}

/** What it finds at the account, apart from its handle: nothing answers under it here. */
async function problems(): Promise<string[]> {
  const found = await findings({}, '--account', account.did, ...at)
  expect(new Set(found.map(({ subject }) => subject))).toEqual(new Set([account.did]))
  return found.filter(({ problem }) => !problem.includes('does not name it')).map(({ problem }) => problem)
}

describe('ctl doctor --account', () => {
  let n = 0
  beforeEach(async () => {
    account = await cluster.addAccount(`p${n++}`)
    await cluster.write(account, ['a', 'b', 'c'])
  })

  test('finds nothing at an account that is well, and changes nothing', async () => {
    const { rows: before } = await cluster.db.pool.query('select * from repo')
    expect(await problems()).toEqual([])
    expect((await cluster.db.pool.query('select * from repo')).rows).toEqual(before)
  })

  test('finds a record that is gone, and nodes that are, which a rebuild makes anew', async () => {
    await cluster.db.pool.query('delete from pack where account_id = $1', [account.id])
    expect(await problems()).toEqual(['nodes of its tree are missing'])
    await cluster.json('repo', 'rebuild', account.did, ...at)
    expect(await problems()).toEqual([])
    await cluster.db.pool.query(`delete from record where account_id = $1 and rkey = 'b'`, [account.id])
    expect(await problems()).toEqual(['its records do not make the tree that its head names'])
    expect((await cluster.ctl('repo', 'rebuild', account.did, ...at)).code).toBe(1)
  })

  test('finds a head that another key signed, and one that no document names', async () => {
    const other = await cluster.addAccount(`o${n++}`)
    await cluster.json('keys', 'rotate-signing', account.did, ...at)
    expect(await problems()).toEqual([])
    await cluster.db.pool.query(
      `update signing_key k set did_key = o.did_key from signing_key o where k.account_id = $1 and o.account_id = $2`,
      [account.id, other.id],
    )
    expect(await problems()).toEqual([
      'its head is not signed with its key',
      'its DID document names another signing key',
    ])
    await cluster.db.pool.query('delete from signing_key where account_id = $1', [account.id])
    expect(await problems()).toContain('it has no signing key here')
  })

  test('finds an identity that is elsewhere, another handle, and a rotation key that was removed', async () => {
    const plc = cluster.identities()
    const { didKey } = cluster.signingKeys.create().signer
    const operation = await plc.signOperation(account.did, {
      rotationKeys: [didKey],
      alsoKnownAs: ['at://other.people.com'],
      services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://elsewhere.example' } },
    })
    await plc.submit(account.did, operation)
    expect(await problems()).toEqual([
      'its DID document names https://elsewhere.example',
      `its DID document names the handle other.people.com, not p${n - 1}.people.com`,
      'its DID names no rotation key of this cluster',
    ])
  })

  test('finds blobs without bytes, wrong counts and wrong totals', async () => {
    await using store = openBlobStore({ driver: 'disk', dir: join(cluster.directory, 'blobs') })
    const upload = (text: string) =>
      uploadBlob(
        { store, pool: cluster.db.pool },
        {
          hostId: account.hostId,
          accountId: account.id,
          body: Readable.from([Buffer.from(text)]),
          bytesMax: 100,
        },
      )
    await upload('kept')
    await upload('lost')
    expect(await problems()).toEqual([])
    const { rows } = await cluster.db.pool.query<{ object_key: string }>(
      `select object_key from blob where account_id = $1 and size = 4 limit 1`,
      [account.id],
    )
    await store.delete(rows[0]?.object_key ?? '')
    expect(await problems()).toEqual([expect.stringContaining('1 blob(s) have no bytes in the store')])
    await cluster.db.pool.query('delete from blob where object_key = $1', [rows[0]?.object_key])
    await cluster.db.pool.query('update blob set ref_count = 2 where account_id = $1', [account.id])
    expect(await problems()).toEqual([
      expect.stringContaining('1 blob(s) have a wrong count of references'),
      'its totals say 2 blobs of 8 bytes, there are 1 of 4',
    ])
  })
})

describe('ctl doctor', () => {
  const clusterOnly = async (env: Record<string, string> = {}): Promise<string[]> =>
    (await findings(env)).filter(({ subject }) => subject === 'cluster').map(({ problem }) => problem)

  test('finds what is wrong with the cluster', async () => {
    await cluster.db.pool.query('truncate event_queue')
    const well = await clusterOnly()
    // Nothing numbers events here, and no mail server is there.
    expect(well).toEqual([
      'the event log has no partition for now',
      'no mail server is configured here: workers drop mail',
    ])
    const id = await addJob(cluster.db.pool, { queue: 'blob-gc', payload: { of: 'orphans' } })
    await cluster.db.pool.query(`update job_outbox set state = 'dead' where id = $1`, [id])
    await addJob(cluster.db.pool, { queue: 'blob-gc', payload: { of: 'orphans' } })
    await cluster.db.pool.query(`update job_outbox set run_at = now() - interval '1 hour'`)
    const env = {
      ROOKERY_REDIS_URL: 'redis://127.0.0.1:1',
      ROOKERY_KEY_ENCRYPTION_KEY: randomBytes(32).toString('hex'),
      ROOKERY_MAIL_URL: 'smtp://127.0.0.1:1',
    }
    expect((await clusterOnly(env)).filter((problem) => !well.includes(problem))).toEqual([
      expect.stringMatching(/^(1 job\(s\) of blob-gc were given up|jobs of blob-gc wait for 60 min)$/),
      expect.stringMatching(/^(1 job\(s\) of blob-gc were given up|jobs of blob-gc wait for 60 min)$/),
      expect.stringContaining('Redis does not answer'),
      expect.stringContaining('the mail server does not take mail'),
      expect.stringMatching(/signing keys are wrapped under key [0-9a-f]{16}, which is not here/),
    ])
    await cluster.db.pool.query('delete from job_outbox')
  })

  test('finds events that nobody numbers, and a log that is ahead of the clock', async () => {
    const { hostId } = account
    await cluster.db.pool.query(
      `insert into event_queue (host_id, account_id, kind, seq_offset, frame) values ($1, 1, 'identity', 0, '')`,
      [hostId],
    )
    expect(await clusterOnly()).toContain('events are not numbered')
    await cluster.db.pool.query('truncate event_queue')
    const set = (sql: string) =>
      cluster.db.pool.query(`update event_sequencer set assigned_seq = ${sql}, published_seq = ${sql}`)
    await set("(extract(epoch from now() + interval '1 minute') * 1000000)::bigint")
    expect(await clusterOnly()).toContainEqual(
      expect.stringMatching(/the last seq is (59|60) s ahead of the clock/),
    )
    await set('0')
  }, 30_000)

  test('finds a host that is not reached, and walks over accounts if asked to', async () => {
    const onHost = await findings({}, ...at)
    expect(onHost).toMatchObject([{ severity: 'error', check: 'host', subject: 'pds.people.com' }])
    const { out } = await cluster.ctl('doctor', ...at, '--all', '--json')
    const { rows } = await cluster.db.pool.query<{ n: number }>('select count(*)::integer as n from account')
    expect(JSON.parse(out).checked).toEqual({ hosts: 1, accounts: rows[0]?.n })
    const sampled = await cluster.ctl('doctor', '--sample', '2', ...at, '--json')
    expect(JSON.parse(sampled.out).checked).toEqual({ hosts: 1, accounts: 2 })
    expect((await cluster.ctl('doctor', '--account', account.did)).code).toBe(2)
    expect((await cluster.ctl('doctor', ...at)).out).toMatch(/^SEVERITY +CHECK +SUBJECT +PROBLEM +HINT/)
  })
})
