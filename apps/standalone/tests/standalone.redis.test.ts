import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { loadConfig } from '@rookery/config'
import { appendEvent, encodeIdentityFrame } from '@rookery/events'
import { addJob, waitForJob } from '@rookery/jobs'
import { createLogger } from '@rookery/telemetry'
import { createHost, createTenant } from '@rookery/tenants'
import { type TestDatabase, createTestDatabase, testRedis } from '@rookery/testkit'
import { request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { startStandalone } from '../src/app.ts'

const host = 'pds.acme.com'
const subscribe = '/xrpc/com.atproto.sync.subscribeRepos'
const stack = new AsyncDisposableStack()
let db: TestDatabase
let env: NodeJS.ProcessEnv
let hostId: number

beforeAll(async () => {
  db = stack.use(await createTestDatabase({ poolMax: 4 }))
  const redis = stack.use(await testRedis())
  const dir = await mkdtemp(join(tmpdir(), 'rookery-standalone-'))
  stack.defer(() => rm(dir, { recursive: true }))
  await createTenant(db.database.kysely, { slug: 'acme', name: 'Acme' })
  hostId = (await createHost(db.database.kysely, { hostname: host, tenant: 'acme' })).id
  env = {
    ROOKERY_DATABASE_URL: db.url,
    ROOKERY_DATABASE_POOL_MAX: '4',
    ROOKERY_REDIS_URL: redis.url,
    ROOKERY_REDIS_PREFIX: redis.prefix,
    ROOKERY_BLOBS_DRIVER: 'disk',
    ROOKERY_BLOBS_DIRECTORY: dir,
    ROOKERY_HTTP_ADDRESS: '127.0.0.1',
    ROOKERY_HTTP_PORT: '0',
    ROOKERY_HTTP_INTERNAL_PORT: '0',
    ROOKERY_HTTP_STOP_DELAY_MS: '0',
    ROOKERY_HTTP_DRAIN_MS: '200',
    ROOKERY_PLC_ROTATION_KEY: '11'.repeat(32),
    ROOKERY_KEY_ENCRYPTION_KEY: '22'.repeat(32),
    ROOKERY_JWT_SECRET: 'secret'.repeat(8),
    ROOKERY_ADMIN_PASSWORD: 'password',
  }
})
afterAll(() => stack.disposeAsync())

const patienceMs = 15_000

test('every role works in one process: requests and subscribers on one port, events, jobs, a clean stop', async () => {
  const config = loadConfig(['api', 'firehose', 'sequencer', 'worker'], env)
  const log = createLogger('standalone', process.env['TEST_LOG'] ?? 'silent')
  const standalone = await startStandalone(config, log)
  await using running = new AsyncDisposableStack()
  running.use(standalone)
  const url = `http://127.0.0.1:${standalone.port}`
  const get = async (path: string): Promise<number> => {
    const { statusCode, body } = await request(url + path, { headers: { host } })
    await body.dump()
    return statusCode
  }
  expect((await request(`http://127.0.0.1:${standalone.internalPort}/readyz`)).statusCode).toBe(200)
  expect(await get('/xrpc/_health')).toBe(200)
  expect(await get('/xrpc/com.atproto.server.describeServer')).toBe(200)
  expect(await get(subscribe)).toBe(426)

  const socket = new WebSocket(`ws://127.0.0.1:${standalone.port}${subscribe}`, { headers: { host } })
  const closed = once(socket, 'close') as Promise<[number]>
  await once(socket, 'open')
  const message = once(socket, 'message', { signal: AbortSignal.timeout(patienceMs) })
  const frame = encodeIdentityFrame({ did: 'did:plc:alice', time: new Date().toISOString() })
  await appendEvent(db.pool, { hostId, accountId: 1, kind: 'identity', frame })
  const [bytes] = (await message) as [Buffer]
  expect(bytes.toString('latin1')).toContain('did:plc:alice')

  const other = new WebSocket(`${url.replace('http', 'ws')}/xrpc/_health`, { headers: { host } })
  await once(other, 'error')

  const id = await addJob(db.pool, { queue: 'blob-gc', payload: { of: 'unreferenced' }, keepResult: true })
  await waitForJob(db.pool, id, { timeoutMs: patienceMs })

  await running.disposeAsync()
  // Sent away, not cut off.
  expect((await closed)[0]).toBe(1001)
  await expect(request(url)).rejects.toThrow('ECONNREFUSED')
})
