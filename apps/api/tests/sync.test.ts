import { type IncomingMessage, request as httpRequest } from 'node:http'

import { JobRelay, JobRunner, listJobs } from '@rookery/jobs'
import { type RecordWrite, importRepo } from '@rookery/records'
import { type Block, TreeBuilder, collectCar, decodeCommit, encodeCar, signCommit } from '@rookery/repo'
import { must } from '@rookery/std'
import { cidForCbor, cidToString, encodeData, tidFrom } from '@rookery/syntax'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { type Answer, TestApi } from './test-api.ts'

type Session = { did: string; accessJwt: string; handle: string }

const carType = 'application/vnd.ipld.car'
const collection = 'app.bsky.feed.post'
let api: TestApi
let port: number

beforeAll(async () => {
  api = await TestApi.start()
  const { app } = must(api.pods[0])
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

async function signerFor(repo: { accountId: number; did: string }) {
  const signer = await must(api.pods[0]).deps.signingKeys.signerFor({ id: repo.accountId, did: repo.did })
  return (bytes: Uint8Array) => signer.sign(bytes)
}

async function accountIdOf(did: string): Promise<number> {
  const { rows } = await api.db.pool.query<{ id: number }>('select id from account where did = $1', [did])
  return must(rows[0]).id
}

/** Signs up and writes posts. */
async function signUp(name: string, texts: readonly string[] = []): Promise<Session> {
  const session = (await api.signUp(name)) as Session
  const accountId = await accountIdOf(session.did)
  const writes = texts.map((text, i): RecordWrite => {
    const bytes = encodeData({ $type: collection, text })
    const [cid, rkey] = [cidForCbor(bytes), `key${i}`]
    return { action: 'create', collection, rkey, cid, bytes, link: undefined, blobs: [] }
  })
  for (let i = 0; i < writes.length; i += 5)
    await must(api.pods[0]).deps.writer.commit({ accountId, did: session.did }, () => writes.slice(i, i + 5))
  return session
}

/** Calls a method that answers a CAR. */
async function getCar(
  method: string,
  params: [string, string][],
  headers: Record<string, string> = {},
): Promise<{ status: number; type: string; body: Buffer }> {
  const answer = await must(api.pods[0]).app.inject({
    method: 'GET',
    url: `/xrpc/com.atproto.sync.${method}?${new URLSearchParams(params).toString()}`,
    headers: { host: 'one.test', ...headers },
  })
  return {
    status: answer.statusCode,
    type: String(answer.headers['content-type']),
    body: answer.rawPayload,
  }
}

/** Opens a request over a real socket. */
function open(path: string, options: { method?: string; headers?: Record<string, string> } = {}) {
  return httpRequest({
    host: '127.0.0.1',
    port,
    path,
    method: options.method ?? 'GET',
    headers: { host: 'one.test', ...options.headers },
    agent: false,
  })
}

function answerOf(request: ReturnType<typeof open>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    request.once('error', reject)
    request.end()
  })
}

/** The statements that exports and imports have under way. */
async function openExports(): Promise<number> {
  const { rows } = await api.db.pool.query(
    `select 1 from pg_stat_activity where datname = current_database() and query like 'copy (%'
       and state <> 'idle'`,
  )
  return rows.length
}

describe('com.atproto.sync', () => {
  test('serves a repo whole, since a rev, in parts and in proofs', async () => {
    const { did } = await signUp('ann', ['one', 'two', 'three', 'four', 'five', 'six', 'seven'])
    const latest = await api.get('com.atproto.sync.getLatestCommit', { did }, { pod: 1 })
    const whole = await getCar('getRepo', [['did', did]])
    expect(whole).toMatchObject({ status: 200, type: carType })
    const { roots, blocks } = await collectCar([whole.body])
    expect(latest.body).toEqual({
      cid: cidToString(roots[0]),
      rev: decodeCommit(must(blocks.get(roots[0]))).rev,
    })
    expect(await getCar('getCheckout', [['did', did]])).toEqual(whole)
    const head = await api.get('com.atproto.sync.getHead', { did })
    expect(head.body).toEqual({ root: latest.body.cid })

    const since = await getCar('getRepo', [
      ['did', did],
      ['since', latest.body.rev],
    ])
    expect((await collectCar([since.body])).blocks.size).toBe(1)
    const cids = [...blocks].map(({ cid }) => cidToString(cid))
    const some = await getCar('getBlocks', [
      ['did', did],
      ...cids.slice(0, 3).map((cid): [string, string] => ['cids', cid]),
    ])
    expect([...(await collectCar([some.body])).blocks].map(({ cid }) => cidToString(cid))).toEqual(
      cids.slice(0, 3),
    )
    const record: [string, string][] = [
      ['did', did],
      ['collection', collection],
    ]
    const there = await collectCar([(await getCar('getRecord', [...record, ['rkey', 'key3']])).body])
    expect(there.blocks.has(cidForCbor(encodeData({ $type: collection, text: 'four' })))).toBe(true)
    const nowhere = await getCar('getRecord', [...record, ['rkey', 'none']])
    expect(nowhere).toMatchObject({ status: 200, type: carType })
    expect((await collectCar([nowhere.body])).roots).toEqual(roots)
  })

  test('answers HEAD without exporting', async () => {
    const { did } = await signUp('hans')
    const ask = (of: string): Promise<IncomingMessage> =>
      answerOf(open(`/xrpc/com.atproto.sync.getRepo?did=${of}`, { method: 'HEAD' }))
    const { statusCode, headers } = await ask(did)
    expect({ statusCode, type: headers['content-type'] }).toEqual({ statusCode: 200, type: carType })
    // How long it would be is not known, and 0 is wrong.
    expect(headers).not.toHaveProperty('content-length')
    expect((await ask('did:plc:none')).statusCode).toBe(400)
  })

  // SPEC ST-1, ST-2, ST-3
  test('names the reason when a repo may not be read, and lets its owner and the operator', async () => {
    const { did, accessJwt } = await signUp('dora', ['mine'])
    const { accessJwt: other } = await signUp('otto')
    await api.post('com.atproto.server.deactivateAccount', {}, { token: accessJwt })
    const owner = { authorization: `Bearer ${accessJwt}` }
    const { adminPassword } = must(api.pods[0]).deps
    const operator = { authorization: `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}` }
    const calls: [string, [string, string][]][] = [
      ['getRepo', []],
      ['getCheckout', []],
      ['getLatestCommit', []],
      ['getHead', []],
      ['getBlocks', []],
      [
        'getRecord',
        [
          ['collection', collection],
          ['rkey', 'key0'],
        ],
      ],
    ]
    const cid = cidToString(cidForCbor(encodeData({ $type: collection, text: 'mine' })))
    for (const [method, rest] of calls) {
      const params: [string, string][] = [['did', did], ...rest]
      if (method === 'getBlocks') params.push(['cids', cid])
      for (const headers of [{}, { authorization: `Bearer ${other}` }]) {
        const refused = await getCar(method, params, headers)
        expect(refused.status).toBe(400)
        expect(JSON.parse(refused.body.toString())).toMatchObject({ error: 'RepoDeactivated' })
      }
      for (const headers of [owner, operator])
        expect((await getCar(method, params, headers)).status).toBe(200)
      const elsewhere = await getCar(method, params, { ...operator, host: 'two.test' })
      expect(JSON.parse(elsewhere.body.toString())).toMatchObject({
        error: method === 'getHead' ? 'HeadNotFound' : 'RepoNotFound',
      })
    }
    const status = await api.get('com.atproto.sync.getRepoStatus', { did })
    expect(status).toMatchObject({ status: 200, body: { did, active: false, status: 'deactivated' } })
    const unknown = await api.get('com.atproto.sync.getRepoStatus', { did }, { host: 'two.test' })
    expect(unknown).toMatchObject({ status: 400, body: { error: 'RepoNotFound' } })
  })

  // SPEC ST-1, ST-2, ST-3, ST-6, LAB-4, ACC-11
  test('a repo that is taken down is named as such, and read by its owner and the operator only', async () => {
    const { did, accessJwt } = await signUp('tina', ['gone'])
    const setTakedown = (applied: boolean) =>
      api.post(
        'com.atproto.admin.updateSubjectStatus',
        { subject: { $type: 'com.atproto.admin.defs#repoRef', did }, takedown: { applied } },
        { admin: true },
      )
    const { rev } = (await api.get('com.atproto.sync.getLatestCommit', { did })).body
    expect((await api.get('com.atproto.sync.getRepoStatus', { did })).body).toEqual({
      did,
      active: true,
      rev,
    })
    await setTakedown(true)
    const status = { did, active: false, status: 'takendown' }
    expect((await api.get('com.atproto.sync.getRepoStatus', { did })).body).toEqual(status)
    const { repos } = (await api.get('com.atproto.sync.listRepos')).body
    expect(repos.find((repo: { did: string }) => repo.did === did)).toMatchObject(status)
    const record: [string, string][] = [
      ['collection', collection],
      ['rkey', 'key0'],
    ]
    const { adminPassword } = must(api.pods[0]).deps
    const operator = { authorization: `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}` }
    for (const [method, rest] of [['getRepo'], ['getLatestCommit'], ['getRecord', record]] as const) {
      const params: [string, string][] = [['did', did], ...(rest ?? [])]
      const refused = await getCar(method, params)
      expect(refused.status).toBe(400)
      expect(JSON.parse(refused.body.toString())).toMatchObject({ error: 'RepoTakendown' })
      expect((await getCar(method, params, operator)).status).toBe(200)
    }
    const owner = { authorization: `Bearer ${accessJwt}` }
    expect((await getCar('getRepo', [['did', did]], owner)).status).toBe(200)
    await setTakedown(false)
    expect((await getCar('getRepo', [['did', did]])).status).toBe(200)
  })

  test('refuses blocks that are not there, and malformed requests', async () => {
    const { did } = await signUp('bea')
    const cid = cidToString(cidForCbor(encodeData({ nobody: 'has this' })))
    const missing = await api.get('com.atproto.sync.getBlocks', { did, cids: cid })
    expect(missing).toMatchObject({
      status: 400,
      body: { error: 'BlockNotFound', message: `Could not find cids: ${cid}` },
    })
    const badCid = await api.get('com.atproto.sync.getBlocks', { did, cids: 'nonsense' })
    expect(badCid).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    const badSince = await api.get('com.atproto.sync.getRepo', { did, since: 'yesterday' })
    expect(badSince).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
  })

  test('lists the repos of the host page by page, oldest first', async () => {
    const { did } = await signUp('lisa')
    const { did: younger } = await signUp('lars')
    const found: { did: string; head: string; rev: string; active: boolean }[] = []
    let cursor: string | undefined
    do {
      const page = await api.get('com.atproto.sync.listRepos', {
        limit: '2',
        ...(cursor === undefined ? {} : { cursor }),
      })
      expect(page.body.repos.length).toBeLessThanOrEqual(2)
      found.push(...page.body.repos)
      cursor = page.body.cursor
    } while (cursor !== undefined)
    expect(found.map((repo) => repo.did).slice(-2)).toEqual([did, younger])
    const latest = await api.get('com.atproto.sync.getLatestCommit', { did })
    expect(found.find((repo) => repo.did === did)).toEqual({
      did,
      head: latest.body.cid,
      rev: latest.body.rev,
      active: true,
    })
    const other = await api.get('com.atproto.sync.listRepos', {}, { host: 'two.test' })
    expect(other.body.repos).toEqual([])
    const malformed = await api.get('com.atproto.sync.listRepos', { cursor: 'x' })
    expect(malformed).toMatchObject({
      status: 400,
      body: { error: 'InvalidRequest', message: 'Malformed cursor' },
    })
    for (const limit of ['0', '1001'])
      expect((await api.get('com.atproto.sync.listRepos', { limit })).status).toBe(400)
  })

  test('breaks the connection off when an export fails midway', async () => {
    const { did } = await signUp(
      'max',
      Array.from({ length: 20 }, (_, i) => `${i}`.repeat(20_000)),
    )
    const accountId = await accountIdOf(did)
    await api.db.pool.query(`delete from record where account_id = $1 and rkey = 'key9'`, [accountId])
    const answer = await answerOf(open(`/xrpc/com.atproto.sync.getRepo?did=${did}`))
    expect(answer.statusCode).toBe(200)
    await expect(answer.toArray()).rejects.toThrow('aborted')
  })

  test('stops reading the database when the client goes away', async () => {
    // More than sockets and streams buffer.
    const { did } = await signUp(
      'tom',
      Array.from({ length: 60 }, (_, i) => `${i % 10}`.repeat(300_000)),
    )
    const request = open(`/xrpc/com.atproto.sync.getRepo?did=${did}`)
    const answer = await answerOf(request)
    await answer[Symbol.asyncIterator]().next()
    await expect.poll(openExports).toBe(1)
    request.destroy()
    await expect.poll(openExports).toBe(0)
  })
})

describe('importRepo', () => {
  let relay: JobRelay
  let runner: JobRunner
  beforeAll(() => {
    const { config, db, log, keys, clock, blobs: store } = must(api.pods[0]).deps
    const jobs = { log, pool: db.pool, redisUrl: config.redis.url, keys }
    relay = new JobRelay(jobs)
    const deps = { pool: db.pool, store, clock, signerFor, bytesMax: 50_000_000, onStored: () => {} }
    runner = new JobRunner({
      ...jobs,
      processors: {
        'repo-import': (job) =>
          importRepo(deps, {
            ...job.payload,
            signal: job.signal,
            log,
            report: (progress) => job.report(progress),
            complete: (tx, result) => job.complete(tx, result),
          }),
      },
      drainMs: 5_000,
    })
  })
  afterAll(async () => {
    await runner[Symbol.asyncDispose]()
    await relay[Symbol.asyncDispose]()
  })

  async function carOf(did: string, count: number): Promise<Buffer> {
    const blocks: Block[] = []
    const builder = new TreeBuilder((node) => blocks.push(node))
    for (let i = 0; i < count; i++) {
      const bytes = encodeData({ $type: collection, text: `imported ${i}` })
      blocks.push({ cid: cidForCbor(bytes), bytes })
      builder.add(`${collection}/key${String(i).padStart(4, '0')}`, cidForCbor(bytes))
    }
    const rev = tidFrom(Date.now() * 1_000, 3)
    const commit = await signCommit({ did, rev, data: builder.finish() }, () => new Uint8Array(64))
    return encodeCar(commit.cid, [commit, ...blocks])
  }

  const importCar = (session: Session, car: Buffer, headers: Record<string, string> = {}) =>
    api.request(
      { method: 'POST', url: '/xrpc/com.atproto.repo.importRepo', payload: car },
      { token: session.accessJwt, headers: { 'content-type': carType, ...headers } },
    )

  // SPEC IMP-5
  test('replaces the repo of a deactivated account without an event', async () => {
    const session = await signUp('mia', ['gone'])
    await api.post('com.atproto.server.deactivateAccount', {}, { token: session.accessJwt })
    const events = await api.events(session.did)
    const answer = await importCar(session, await carOf(session.did, 500))
    expect(answer).toMatchObject({ status: 200 })
    expect(await api.events(session.did)).toEqual(events)
    const read = await getCar('getRepo', [['did', session.did]], {
      authorization: `Bearer ${session.accessJwt}`,
    })
    const { blocks } = await collectCar([read.body])
    expect(blocks.has(cidForCbor(encodeData({ $type: collection, text: 'imported 499' })))).toBe(true)
    expect(blocks.has(cidForCbor(encodeData({ $type: collection, text: 'gone' })))).toBe(false)
    await api.post('com.atproto.server.activateAccount', undefined, { token: session.accessJwt })
    expect((await api.events(session.did)).at(-1)).toBe('sync')
  })

  test('asserts the new state of an active account', async () => {
    const session = await signUp('nora')
    expect((await importCar(session, await carOf(session.did, 10))).status).toBe(200)
    expect((await api.events(session.did)).at(-1)).toBe('sync')
  })

  test('refuses what is no repo of the account, and changes nothing', async () => {
    const session = await signUp('olga', ['mine'])
    const before = await api.get('com.atproto.sync.getLatestCommit', { did: session.did })
    const foreign = await importCar(session, await carOf('did:plc:somebodyelse', 3))
    expect(foreign).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    expect(foreign.body.message).toContain('did:plc:somebodyelse')
    const whole = await carOf(session.did, 3)
    const cut = await importCar(session, whole.subarray(0, -5))
    expect(cut).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    const wrongType = await importCar(session, whole, { 'content-type': 'application/json' })
    expect(wrongType.status).toBe(400)
    const after = await api.get('com.atproto.sync.getLatestCommit', { did: session.did })
    expect(after.body).toEqual(before.body)
  })

  test('is told of to the operator: what it has done, and why it failed', async () => {
    const session = await signUp('pola')
    const told = async () =>
      (await api.get('net.rookery.admin.listImports', { account: session.did }, { admin: true })).body
    expect(await told()).toEqual({ did: session.did, imports: [] })
    expect((await importCar(session, await carOf(session.did, 20))).status).toBe(200)
    expect((await importCar(session, await carOf('did:plc:somebodyelse', 3))).status).toBe(400)
    expect((await told()).imports).toMatchObject([
      { state: 'refused', error: expect.stringContaining('did:plc:somebodyelse') },
      { state: 'done', progress: { phase: 'replacing', records: 20 }, finishedAt: expect.any(String) },
    ])
  })

  test('goes on when the client does not wait', async () => {
    const session = await signUp('pia')
    const car = await carOf(session.did, 2_000)
    const before = await api.get('com.atproto.sync.getLatestCommit', { did: session.did })
    const request = open('/xrpc/com.atproto.repo.importRepo', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${session.accessJwt}`,
        'content-type': carType,
        'content-length': String(car.length),
      },
    })
    request.on('error', () => {})
    request.end(car)
    const jobs = (): Promise<number> =>
      api.db.pool
        .query(`select 1 from job_outbox where queue = 'repo-import' and state <> 'done'`)
        .then(({ rows }) => rows.length)
    await expect.poll(jobs).toBe(1)
    request.destroy()
    const head = async () =>
      (await api.get('com.atproto.sync.getLatestCommit', { did: session.did })).body.cid
    await expect.poll(head, { timeout: 15_000 }).not.toBe(before.body.cid)
  })

  test('a client that comes again with the same bytes waits for the import that runs, and sees how far it is', async () => {
    const session = await signUp('quentin')
    const car = await carOf(session.did, 300)
    const other = await carOf(session.did, 200)
    const accountId = await accountIdOf(session.did)
    const jobs = async () => {
      const all = await listJobs(api.db.pool, { queue: 'repo-import' })
      return all.filter(({ payload }) => (payload as { accountId: number }).accountId === accountId)
    }
    using deleted = vi.spyOn(must(api.pods[0]).deps.blobs, 'delete')
    const deletedUploads = () => deleted.mock.calls.filter(([key]) => key.includes(`/${accountId}/`)).length
    const sent: Promise<Answer>[] = []
    const holder = await api.db.pool.connect()
    try {
      await holder.query('begin')
      await holder.query('select from repo where did = $1 for update', [session.did])
      sent.push(importCar(session, Buffer.from(car)))
      await expect
        .poll(async () => (await jobs()).map(({ progress }) => progress))
        .toEqual([expect.objectContaining({ phase: 'walking', bytes: expect.any(Number) })])
      sent.push(importCar(session, Buffer.from(car)))
      // What came again is not needed.
      await expect.poll(deletedUploads).toBe(1)
      expect(await jobs()).toHaveLength(1)
      sent.push(importCar(session, other))
      await expect.poll(async () => (await jobs()).length).toBe(2)
    } finally {
      await holder.query('rollback')
      holder.release()
    }
    expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([200, 200, 200])
    const syncs = (await api.events(session.did)).filter((kind) => kind === 'sync')
    expect(syncs).toHaveLength(2)
    const records = (await jobs()).map(({ progress }) => (progress as { records: number }).records)
    expect(records.sort((a, b) => a - b)).toEqual([200, 300])
  })

  test('needs the session of the account itself, and a body of bounded size', async () => {
    const session = await signUp('rosa')
    const anonymous = await api.request(
      { method: 'POST', url: '/xrpc/com.atproto.repo.importRepo', payload: Buffer.alloc(10) },
      { headers: { 'content-type': carType } },
    )
    expect(anonymous).toMatchObject({ status: 401, body: { error: 'AuthMissing' } })
    const { importBytesMax } = must(api.pods[0]).deps.config.repo
    const request = open('/xrpc/com.atproto.repo.importRepo', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${session.accessJwt}`,
        'content-type': carType,
        'content-length': String(importBytesMax + 1),
        expect: '100-continue',
      },
    })
    request.flushHeaders()
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve)
      request.once('error', reject)
    })
    expect(answer.statusCode).toBe(413)
    expect(JSON.parse(Buffer.concat(await answer.toArray()).toString())).toMatchObject({
      error: 'PayloadTooLarge',
    })
    request.destroy()
  })
})
