import { mkdtemp, rm } from 'node:fs/promises'
import { type IncomingMessage, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'

import { type Config, loadConfig } from '@rookery/config'
import { createLogger } from '@rookery/telemetry'
import { type TestDatabase, type TestRedis, createTestDatabase, testRedis } from '@rookery/testkit'

import { type WorkerService, startWorker } from '../src/app.ts'

/** A request that a fake relay was sent. */
type CrawlRequest = { path: string | undefined; hostname: string }

/** What a worker needs around it. */
export type Surroundings = AsyncDisposable & {
  db: TestDatabase
  redis: TestRedis
  config: Config
  blobDir: string
  /** What the relay was asked, oldest first. */
  crawls: CrawlRequest[]
  /** The status with which the relay answers. */
  relay: { url: string; status: number }
  start(): Promise<WorkerService>
}

export async function setUp(env: NodeJS.ProcessEnv = {}): Promise<Surroundings> {
  const stack = new AsyncDisposableStack()
  const db = stack.use(await createTestDatabase({ poolMax: 4 }))
  const redis = stack.use(await testRedis())
  const blobDir = await mkdtemp(join(tmpdir(), 'rookery-worker-'))
  stack.defer(() => rm(blobDir, { recursive: true }))
  const crawls: CrawlRequest[] = []
  const relay = { url: '', status: 200 }
  relay.url = stack.use(
    await listen(async (request) => {
      const { hostname } = (await json(request)) as { hostname: string }
      crawls.push({ path: request.url, hostname })
      return relay.status
    }),
  ).url
  const config = loadConfig(['worker'], {
    ROOKERY_DATABASE_URL: db.url,
    ROOKERY_DATABASE_POOL_MAX: '4',
    ROOKERY_REDIS_URL: redis.url,
    ROOKERY_REDIS_PREFIX: redis.prefix,
    ROOKERY_BLOBS_DRIVER: 'disk',
    ROOKERY_BLOBS_DIRECTORY: blobDir,
    ROOKERY_CRAWL_RELAYS: relay.url,
    ROOKERY_DEV_ALLOW_PRIVATE_NETWORK: 'true',
    ROOKERY_PLC_ROTATION_KEY: '11'.repeat(32),
    ROOKERY_KEY_ENCRYPTION_KEY: '22'.repeat(32),
    ROOKERY_HTTP_INTERNAL_PORT: '0',
    ROOKERY_HTTP_DRAIN_MS: '2000',
    ...env,
  })
  const workers = stack.use(new AsyncDisposableStack())
  return {
    db,
    redis,
    config,
    blobDir,
    crawls,
    relay,
    start: async () =>
      workers.use(await startWorker(config, createLogger('worker', process.env['TEST_LOG'] ?? 'silent'))),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function listen(
  answer: (request: IncomingMessage) => Promise<number>,
): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => {
    answer(request).then(
      (status) => response.writeHead(status).end('{}'),
      () => response.writeHead(500).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
