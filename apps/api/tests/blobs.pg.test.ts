import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'

import { takeDownBlob } from '@rookery/records'
import { must } from '@rookery/std'
import { cidForRawDigest, cidToString, parseCid } from '@rookery/syntax'
import { type TestBlobStore, createTestBlobStore } from '@rookery/testkit'
import { type TenantSettingsInput, updateTenant } from '@rookery/tenants'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { buildApi } from '../src/app.ts'
import type { ApiDeps } from '../src/deps.ts'
import { TestApi } from './test-api.ts'

const bytesMax = 2_000_000
/** Signature, header chunk and the beginning of the data of a PNG. */
const pngHead = Buffer.from(
  '89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de000493e049444154',
  'hex',
)

type Caller = { id: number; did: string; host: string; headers: Record<string, string> }

let api: TestApi
let deps: ApiDeps
let blobs: TestBlobStore
let app: FastifyInstance
let port: number

beforeAll(async () => {
  api = await TestApi.start()
  blobs = await createTestBlobStore('s3')
  const pod = must(api.pods[0]).deps
  const config = { ...pod.config, blobs: { ...pod.config.blobs, uploadBytesMax: bytesMax } }
  deps = { ...pod, config, blobs: blobs.store }
  app = await buildApi(deps)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  port = typeof address === 'object' && address ? address.port : 0
})
afterAll(async () => {
  await app.close()
  await blobs[Symbol.asyncDispose]()
  await api[Symbol.asyncDispose]()
})

async function createCaller(
  host = 'one.test',
  did = `did:plc:${randomBytes(12).toString('hex')}`,
): Promise<Caller> {
  const { id: hostId, serviceDid } = must(await deps.directory.findHost(host))
  const { rows } = await api.db.pool.query<{ id: number }>(
    `with owner as (
       insert into account (host_id, tenant_id, did)
       select id, default_tenant_id, $2 from host where id = $1 returning id, host_id, did
     ), repo as (
       insert into repo (account_id, host_id, did, rev, head, data, commit)
       select id, host_id, did, '2222222222222', '', '', '' from owner
     )
     select id from owner`,
    [hostId, did],
  )
  const token = deps.tokens.issueAccess(serviceDid, { did, scope: 'com.atproto.access', epoch: 0 })
  return { id: must(rows[0]).id, did, host, headers: { authorization: `Bearer ${token}` } }
}

type Answer = { status: number; headers: Record<string, string | string[] | undefined>; body: Buffer }

/** A real request: what a client sends and sees, `Host` and all. */
async function call(
  method: string,
  path: string,
  options: { host?: string; headers?: Record<string, string>; body?: Uint8Array } = {},
): Promise<Answer> {
  const { host = 'one.test', headers = {}, body } = options
  const outgoing = request({
    port,
    host: '127.0.0.1',
    method,
    path: `/xrpc/${path}`,
    headers: { host, ...headers },
    agent: false,
  })
  outgoing.end(body)
  const [incoming] = await once(outgoing, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return { status: incoming.statusCode, headers: incoming.headers, body: Buffer.concat(chunks) }
}

async function objectsOf(caller: Caller): Promise<string[]> {
  const page = await blobs.store.list({ prefix: '' })
  return page.map((object) => object.key).filter((key) => key.split('/')[1] === String(caller.id))
}

function json(answer: Answer) {
  return JSON.parse(answer.body.toString())
}

async function upload(
  caller: Pick<Caller, 'host' | 'headers'>,
  bytes: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return call('POST', 'com.atproto.repo.uploadBlob', {
    host: caller.host,
    headers: { 'content-type': 'text/plain', ...caller.headers, ...headers },
    body: bytes,
  })
}

/** Uploads bytes and lets a record refer to them. */
async function publish(caller: Caller, bytes: Uint8Array, contentType = 'text/plain'): Promise<string> {
  const answer = await upload(caller, bytes, { 'content-type': contentType })
  const cid: string = json(answer).blob.ref.$link
  await api.db.pool.query(
    `update blob set state = 'permanent', ref_count = 1, unreferenced_at = null where account_id = $1 and cid = $2`,
    [caller.id, parseCid(cid)],
  )
  await refer(caller, cid)
  return cid
}

async function refer(caller: Caller, cid: string): Promise<void> {
  await api.db.pool.query(`insert into blob_ref values ($1, 'app.bsky.feed.post', $3, $2, '3333333333333')`, [
    caller.id,
    parseCid(cid),
    `r${cid.slice(-6)}`,
  ])
}

function blobPath(caller: Caller, cid: string): string {
  return `com.atproto.sync.getBlob?did=${caller.did}&cid=${cid}`
}

function cidOf(bytes: Uint8Array): string {
  return cidToString(cidForRawDigest(createHash('sha256').update(bytes).digest()))
}

describe('uploadBlob', () => {
  test('answers with a reference, of the sniffed type', async () => {
    const caller = await createCaller()
    const png = Buffer.concat([pngHead, randomBytes(300_000)])
    const answer = await upload(caller, png)
    expect(answer.status).toBe(200)
    expect(json(answer)).toEqual({
      blob: { $type: 'blob', ref: { $link: cidOf(png) }, mimeType: 'image/png', size: png.length },
    })
  })

  test('takes as many bytes as are allowed, and refuses more with 413', async () => {
    const caller = await createCaller()
    expect((await upload(caller, randomBytes(bytesMax))).status).toBe(200)
    const declared = await upload(caller, randomBytes(bytesMax + 1))
    expect([declared.status, json(declared).error]).toEqual([413, 'PayloadTooLarge'])
    const chunked = await upload(caller, randomBytes(bytesMax + 1), { 'transfer-encoding': 'chunked' })
    expect([chunked.status, json(chunked).error]).toEqual([413, 'PayloadTooLarge'])
  })

  test('counts decoded bytes of a compressed body', async () => {
    const caller = await createCaller()
    const bytes = Buffer.alloc(500_000, 'abc')
    const answer = await upload(caller, gzipSync(bytes), { 'content-encoding': 'gzip' })
    expect(json(answer).blob).toMatchObject({ ref: { $link: cidOf(bytes) }, size: 500_000 })
    const bomb = await upload(caller, gzipSync(Buffer.alloc(bytesMax + 1)), { 'content-encoding': 'gzip' })
    expect(bomb.status).toBe(413)
  })

  test('wants a session of this host, and takes a deactivated account', async () => {
    const caller = await createCaller()
    expect((await upload({ ...caller, headers: {} }, randomBytes(10))).status).toBe(401)
    expect((await upload({ ...caller, host: 'two.test' }, randomBytes(10))).status).toBeGreaterThanOrEqual(
      400,
    )
    await api.db.pool.query('update account set deactivated_at = now() where id = $1', [caller.id])
    expect((await upload(caller, randomBytes(10))).status).toBe(200)
    await api.db.pool.query(`update account set takedown_ref = 'x' where id = $1`, [caller.id])
    expect((await upload(caller, randomBytes(10))).status).toBe(401)
  })

  test('takes a token that the account signed for this method on this host, and no other', async () => {
    const { did, accessJwt } = await api.signUp('vera')
    const nsid = 'com.atproto.repo.uploadBlob'
    const tokenFor = async (params: Record<string, string>) => {
      const answer = await api.get('com.atproto.server.getServiceAuth', params, { token: accessJwt })
      return { host: 'one.test', headers: { authorization: `Bearer ${answer.body.token}` } }
    }
    const good = await upload(await tokenFor({ aud: 'did:web:one.test', lxm: nsid }), randomBytes(10))
    expect(good.status).toBe(200)
    for (const params of [
      { aud: 'did:web:two.test', lxm: nsid },
      { aud: 'did:web:one.test', lxm: 'com.atproto.repo.importRepo' },
    ]) {
      expect((await upload(await tokenFor(params), randomBytes(10))).status).toBe(401)
    }
    const token = await tokenFor({ aud: 'did:web:one.test', lxm: nsid })
    await api.db.pool.query(`update account set takedown_ref = 'x' where did = $1`, [did])
    expect(json(await upload(token, randomBytes(10))).error).toBe('AccountTakedown')
  })

  test('keeps nothing of an upload that breaks off', async () => {
    const caller = await createCaller()
    const outgoing = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/xrpc/com.atproto.repo.uploadBlob',
      headers: {
        host: caller.host,
        'content-type': 'text/plain',
        'content-length': 100_000,
        ...caller.headers,
      },
      agent: false,
    })
    outgoing.on('error', () => undefined)
    const finished = new Promise<void>((resolve) => {
      app.server.once('request', (incoming) => incoming.once('close', resolve))
    })
    outgoing.write(randomBytes(50_000), () => outgoing.destroy())
    await finished
    await expect.poll(() => objectsOf(caller)).toEqual([])
  })

  test('answers 503 with Retry-After while the store is away, and works again after', async () => {
    const caller = await createCaller()
    {
      using _outage = blobs.inject({ kind: 'refuse' })
      const answer = await upload(caller, randomBytes(10))
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
    }
    expect((await upload(caller, randomBytes(10))).status).toBe(200)
  })
})

describe("a tenant's rules for uploads", () => {
  async function setRules(settings: TenantSettingsInput): Promise<void> {
    await updateTenant(api.db.database.kysely, 'one', { settings })
    await deps.directory.refresh()
  }

  test('bound size, types and room, each with an error of its own, and no other tenant', async () => {
    const [caller, other] = [await createCaller(), await createCaller('two.test')]
    const describeServer = async (host: string) =>
      json(await call('GET', 'com.atproto.server.describeServer', { host })).blobUploadLimit
    await setRules({ blobBytesMax: 1_000, blobTypes: ['text/*'], accountBlobBytesMax: 1_500 })
    expect([await describeServer('one.test'), await describeServer('two.test')]).toEqual([1_000, bytesMax])
    expect((await upload(caller, randomBytes(1_000))).status).toBe(200)
    const answers = [
      await upload(caller, randomBytes(1_001)),
      await upload(caller, randomBytes(501)),
      await upload(caller, randomBytes(501), { 'transfer-encoding': 'chunked' }),
      await upload(caller, pngHead),
    ]
    expect(answers.map((answer) => [answer.status, json(answer).error])).toEqual([
      [413, 'PayloadTooLarge'],
      [413, 'QuotaExceeded'],
      [413, 'QuotaExceeded'],
      [400, 'InvalidMimeType'],
    ])
    expect((await upload(other, Buffer.concat([pngHead, randomBytes(5_000)]))).status).toBe(200)
    await setRules({ blobBytesMax: bytesMax * 2, blobTypes: ['*/*'], accountBlobBytesMax: null })
    expect(await describeServer('one.test')).toBe(bytesMax)
    expect((await upload(caller, pngHead)).status).toBe(200)
  })
})

describe("the operator's methods for blobs", () => {
  const operator = () => ({
    authorization: `Basic ${Buffer.from(`admin:${deps.adminPassword}`).toString('base64')}`,
    'content-type': 'application/json',
  })
  const post = (name: string, input: object, headers = operator()) =>
    call('POST', `net.rookery.admin.${name}`, { headers, body: Buffer.from(JSON.stringify(input)) })

  test('tell what an account has, and give it a quota of its own', async () => {
    const caller = await createCaller()
    await upload(caller, randomBytes(100))
    const path = `net.rookery.admin.getBlobUsage?account=${caller.did}`
    const usage = json(await call('GET', path, { headers: operator() }))
    expect(usage).toMatchObject({ did: caller.did, account: { bytes: 100, count: 1 } })
    expect(usage.account).not.toHaveProperty('bytesMax')
    expect(usage.tenant.bytes).toBeGreaterThanOrEqual(100)
    const set = await post('setBlobQuota', { account: caller.did, bytesMax: 150 })
    expect(json(set).account).toEqual({ bytes: 100, count: 1, bytesMax: 150 })
    expect(json(await upload(caller, randomBytes(51))).error).toBe('QuotaExceeded')
    expect(json(await post('setBlobQuota', { account: caller.did })).account).toEqual({
      bytes: 100,
      count: 1,
    })
    expect((await upload(caller, randomBytes(51))).status).toBe(200)
    expect((await call('GET', path, { headers: caller.headers })).status).toBe(401)
  })

  test('purge a blob', async () => {
    const caller = await createCaller()
    const bytes = randomBytes(100)
    const cid = await publish(caller, bytes)
    expect((await post('purgeBlob', { account: caller.did, cid })).status).toBe(200)
    expect(json(await call('GET', blobPath(caller, cid))).error).toBe('BlobNotFound')
    expect(json(await upload(caller, bytes)).message).toContain('takendown')
    const { rows } = await api.db.pool.query(`select payload from job_outbox where queue = 'blob-purge'`)
    expect(rows).toMatchObject([{ payload: { accountId: caller.id, cid } }])
    const unknown = await post('purgeBlob', { account: caller.did, cid: cidOf(randomBytes(4)) })
    expect([unknown.status, json(unknown).error]).toEqual([400, 'BlobNotFound'])
  })
})

describe('getBlob', () => {
  // SPEC BL-10
  test('serves bytes under headers that keep browsers from running them', async () => {
    const caller = await createCaller()
    const bytes = Buffer.from('<script>alert(1)</script>')
    const cid = await publish(caller, bytes, 'text/html')
    const answer = await call('GET', blobPath(caller, cid))
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual(bytes)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html',
      'content-length': String(bytes.length),
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'content-disposition': `attachment; filename="${cid}"`,
      'cache-control': 'public, max-age=300',
      'accept-ranges': 'bytes',
      etag: `"${cid}"`,
    })
  })

  test('answers HEAD, conditions and ranges', async () => {
    const caller = await createCaller()
    const bytes = randomBytes(100_000)
    const cid = await publish(caller, bytes)
    const path = blobPath(caller, cid)
    {
      using _unused = blobs.inject({ kind: 'refuse' })
      const head = await call('HEAD', path)
      expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '100000', 0])
      expect(head.headers).toMatchObject({ 'content-type': 'text/plain', etag: `"${cid}"` })
      const unchanged = await call('GET', path, { headers: { 'if-none-match': `"${cid}"` } })
      expect([unchanged.status, unchanged.headers['etag'], unchanged.body.length]).toEqual([
        304,
        `"${cid}"`,
        0,
      ])
    }
    const part = await call('GET', path, { headers: { range: 'bytes=10-29' } })
    expect([part.status, part.headers['content-range']]).toEqual([206, 'bytes 10-29/100000'])
    expect(part.headers['content-length']).toBe('20')
    expect(part.body).toEqual(bytes.subarray(10, 30))
    const tail = await call('GET', path, { headers: { range: 'bytes=-5' } })
    expect(tail.body).toEqual(bytes.subarray(-5))
    const beyond = await call('GET', path, { headers: { range: 'bytes=100000-' } })
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */100000'])
  })

  test('sends the public to the store for a large blob, for a minute, and never for one that is down', async () => {
    const caller = await createCaller()
    const bytes = randomBytes(1024 * 1024)
    const cid = await publish(caller, bytes, 'video/x-test')
    const path = blobPath(caller, cid)
    const answer = await call('GET', path)
    expect([answer.status, answer.body.length, answer.headers['cache-control']]).toEqual([302, 0, 'no-store'])
    const target = String(answer.headers['location'])
    expect(new URL(target).searchParams.get('X-Amz-Expires')).toBe('60')
    const served = await fetch(target)
    expect(Buffer.from(await served.arrayBuffer()).equals(bytes)).toBe(true)
    expect(served.headers.get('content-type')).toBe('video/x-test')
    expect(served.headers.get('content-disposition')).toBe(`attachment; filename="${cid}"`)
    expect((await call('HEAD', path)).status).toBe(200)
    expect((await call('GET', path, { headers: caller.headers })).status).toBe(200)
    const small = await publish(caller, randomBytes(1024 * 1024 - 1), 'video/x-test')
    expect((await call('GET', blobPath(caller, small))).status).toBe(200)
    for (const type of ['text/html', 'image/svg+xml']) {
      const page = await publish(caller, randomBytes(1024 * 1024), type)
      expect((await call('GET', blobPath(caller, page))).status).toBe(200)
    }
    await takeDownBlob(api.db.pool, { accountId: caller.id, cid: parseCid(cid), ref: 'x' })
    expect(json(await call('GET', path)).error).toBe('BlobNotFound')
  })

  test('serves an empty blob', async () => {
    const caller = await createCaller()
    const cid = await publish(caller, Buffer.alloc(0))
    const answer = await call('GET', blobPath(caller, cid))
    expect([answer.status, answer.headers['content-length']]).toEqual([200, '0'])
  })

  test('knows neither temporary blobs nor those of another account or host', async () => {
    const caller = await createCaller()
    const elsewhere = await createCaller('two.test', caller.did)
    const bytes = randomBytes(100)
    const temporary: string = json(await upload(caller, bytes)).blob.ref.$link
    for (const path of [blobPath(caller, temporary), blobPath(caller, cidOf(randomBytes(5)))]) {
      const answer = await call('GET', path, { headers: caller.headers })
      expect([answer.status, json(answer).error]).toEqual([400, 'BlobNotFound'])
      expect(answer.headers).not.toHaveProperty('content-disposition')
    }
    const cid = await publish(caller, bytes)
    const other = await call('GET', blobPath(elsewhere, cid), { host: 'two.test' })
    expect(json(other).error).toBe('BlobNotFound')
    const unknown = await call('GET', `com.atproto.sync.getBlob?did=did:plc:nobody&cid=${cid}`)
    expect([unknown.status, json(unknown).error]).toEqual([400, 'RepoNotFound'])
    const broken = await call('GET', `com.atproto.sync.getBlob?did=${caller.did}&cid=nonsense`)
    expect([broken.status, json(broken).error]).toEqual([400, 'InvalidRequest'])
  })

  // SPEC BL-11
  test('tells of an account that is not active, except to itself and the operator', async () => {
    const [caller, stranger] = [await createCaller(), await createCaller()]
    const cid = await publish(caller, randomBytes(100))
    const password = Buffer.from(`admin:${deps.adminPassword}`).toString('base64')
    const admin = { authorization: `Basic ${password}` }
    for (const [column, error] of [
      ['deactivated_at = now()', 'RepoDeactivated'],
      [`takedown_ref = 'x'`, 'RepoTakendown'],
    ] as const) {
      await api.db.pool.query(`update account set ${column} where id = $1`, [caller.id])
      for (const headers of [{}, stranger.headers]) {
        const answer = await call('GET', blobPath(caller, cid), { headers })
        expect([answer.status, json(answer).error]).toEqual([400, error])
      }
      for (const headers of [caller.headers, admin]) {
        const answer = await call('GET', blobPath(caller, cid), { headers })
        expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'private'])
        expect(json(await call('GET', `com.atproto.sync.listBlobs?did=${caller.did}`, { headers }))).toEqual({
          cids: [cid],
        })
      }
    }
  })

  test('hides what was taken down', async () => {
    const caller = await createCaller()
    const cid = await publish(caller, randomBytes(100))
    await api.db.pool.query(
      `update blob set state = 'quarantined', takedown_ref = 'x' where account_id = $1`,
      [caller.id],
    )
    expect(json(await call('GET', blobPath(caller, cid))).error).toBe('BlobNotFound')
    expect(json(await call('GET', `com.atproto.sync.listBlobs?did=${caller.did}`))).toEqual({ cids: [] })
  })

  test('answers 503 with Retry-After, without the headers of a blob, while the store is away', async () => {
    const caller = await createCaller()
    const cid = await publish(caller, randomBytes(100))
    using _outage = blobs.inject({ kind: 'refuse' })
    const answer = await call('GET', blobPath(caller, cid))
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
    expect(answer.headers).not.toHaveProperty('content-disposition')
    expect(answer.headers).not.toHaveProperty('cache-control')
  })

  test('breaks the connection when the store does in the middle', async () => {
    const caller = await createCaller()
    const cid = await publish(caller, randomBytes(400_000))
    using _fault = blobs.inject({ operation: 'GetObject', kind: 'drop', afterBytes: 100_000 })
    await expect(call('GET', blobPath(caller, cid))).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})

describe('listBlobs and listMissingBlobs', () => {
  test('page by CID', async () => {
    const caller = await createCaller()
    const cids: string[] = []
    for (let i = 0; i < 3; i++) cids.push(await publish(caller, randomBytes(40)))
    const missing = [1, 2, 3].map(() => cidOf(randomBytes(40)))
    for (const cid of missing) await refer(caller, cid)
    const bytesOf = (cid: string) => Buffer.from(parseCid(cid))
    const byCid = (list: string[]) => list.toSorted((a, b) => Buffer.compare(bytesOf(a), bytesOf(b)))
    for (const [method, field, expected] of [
      ['com.atproto.sync.listBlobs', 'cids', byCid(cids)],
      ['com.atproto.repo.listMissingBlobs', 'blobs', byCid(missing)],
    ] as const) {
      const path = `${method}?did=${caller.did}&limit=2`
      const first = json(await call('GET', path, { headers: caller.headers }))
      const rest = json(await call('GET', `${path}&cursor=${first.cursor}`, { headers: caller.headers }))
      const found = [...first[field], ...rest[field]].map((entry) => entry.cid ?? entry)
      expect(found).toEqual(expected)
      expect(rest).not.toHaveProperty('cursor')
      const bad = await call('GET', `${path}&cursor=nonsense`, { headers: caller.headers })
      expect([bad.status, json(bad).error]).toEqual([400, 'InvalidRequest'])
    }
    const path = 'com.atproto.repo.listMissingBlobs'
    const { blobs: all } = json(await call('GET', path, { headers: caller.headers }))
    expect(all[0].recordUri).toBe(`at://${caller.did}/app.bsky.feed.post/r${all[0].cid.slice(-6)}`)
    expect((await call('GET', path)).status).toBe(401)
    const since = `com.atproto.sync.listBlobs?did=${caller.did}&since=3333333333333`
    expect(json(await call('GET', since))).toEqual({ cids: [] })
  })
})
