import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { AtpAgent } from '@atproto/api'
import { type Redis, type S3Emulator, startRedis, startS3Emulator } from '@rookery/local'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { scaledAlerts } from '../support/alert-rules.ts'
import { type Prometheus, startPrometheus } from '../support/prometheus.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { until } from '../support/until.ts'
import { WriterLoad } from '../support/writer-load.ts'

// Five minutes of an alert's time are fifteen seconds of the test's; nothing else of the alerts differs.
const divisor = 20
const intervalMs = 500

const cleanUp = new AsyncDisposableStack()
let directory: string
let redis: Redis
let s3: S3Emulator
let stack: Stack
let prometheus: Prometheus

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-alerts-'))
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }))
  redis = await startRedis({ dir: directory, durable: false })
  cleanUp.defer(() => redis.stop())
  s3 = cleanUp.use(await startS3Emulator({ dir: join(directory, 's3') }))
  stack = cleanUp.use(
    await startStack(['--redis-url', redis.url, '--s3', s3.endpoint], {
      ROOKERY_BLOBS_S3_ACCESS_KEY_ID: s3.accessKey,
      ROOKERY_BLOBS_S3_SECRET_ACCESS_KEY: s3.secretKey,
    }),
  )
  const { hosts, processes } = await stack.read()
  const url = hosts[0]!.url
  cleanUp.use(await WriterLoad.start({ url, accounts: 3, writesPerSecond: 15, name: 'alerts' }))
  cleanUp.use(await uploading(url))
  const targets = processes.flatMap(({ internalUrl }) => internalUrl ?? [])
  prometheus = cleanUp.use(await startPrometheus({ targets, rules: scaledAlerts(divisor), intervalMs }))
  await until(async () => (await prometheus.targetsUp()) === targets.length, { what: 'all to be scraped' })
}, 240_000)

afterAll(() => cleanUp.disposeAsync(), 90_000)

test('nothing fires while all is well', async () => {
  // Before anything was scraped there is no leader.
  await allIsWell()
  expect(await prometheus.firing()).toEqual([])
})

test('Redis that is away fires its alert alone', async () => {
  await redis.stop()
  expect(await firingWith(['RedisAway'])).toEqual(['RedisAway'])
  redis = await startRedis({ dir: directory, durable: false, port: redis.port })
  await allIsWell()
}, 90_000)

test('sequencers that stand still fire theirs alone', async () => {
  const sequencers = (await stack.read()).processes.filter(({ role }) => role === 'sequencer')
  for (const { pid } of sequencers) process.kill(pid, 'SIGSTOP')
  expect(await firingWith(['SequencerHasNoLeader'])).toEqual(['SequencerHasNoLeader'])
  for (const { pid } of sequencers) process.kill(pid, 'SIGCONT')
  await allIsWell()
}, 90_000)

test('a store for blobs that refuses fires its alert alone', async () => {
  {
    using _fault = s3.inject({ kind: 'refuse' })
    expect(await firingWith(['BlobStoreFails'])).toEqual(['BlobStoreFails'])
  }
  await allIsWell()
}, 90_000)

test('a PostgreSQL without room on its disk fires its alert alone', async () => {
  const client = new pg.Client((await stack.read()).databaseUrl)
  await client.connect()
  await using _client = { [Symbol.asyncDispose]: () => client.end() }
  await client.query(`
    create function refuse_all() returns trigger language plpgsql as $$
    begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
    create trigger refuse_all before insert on event_queue for each row execute function refuse_all()`)
  expect(await firingWith(['DatabaseFull'])).toEqual(['DatabaseFull'])
  await client.query('drop trigger refuse_all on event_queue; drop function refuse_all')
  await allIsWell()
}, 90_000)

/** Returns which alerts fire once all of the given do, or any other. */
function firingWith(expected: readonly string[]): Promise<string[]> {
  return until(
    async () => {
      const firing = await prometheus.firing()
      const isOther = firing.some((alert) => !expected.includes(alert))
      return isOther || firing.length === expected.length ? firing : undefined
    },
    { what: expected.join(' and '), timeoutMs: 60_000 },
  )
}

async function allIsWell(): Promise<void> {
  await until(async () => (await prometheus.firing()).length === 0, {
    what: 'the alerts to end',
    timeoutMs: 60_000,
  })
}

/** Uploads a small blob again and again, whatever the answer. */
async function uploading(url: string): Promise<AsyncDisposable> {
  const agent = new AtpAgent({ service: url })
  const { data } = await agent.com.atproto.server.describeServer()
  await agent.createAccount({
    handle: `uploader${data.availableUserDomains[0]}`,
    email: 'uploader@example.org',
    password: 'a long and quiet password',
  })
  const stop = new AbortController()
  const running = (async () => {
    for (let n = 0; !stop.signal.aborted; n++) {
      await agent.uploadBlob(Buffer.from(`blob ${n}`), { encoding: 'text/plain' }).catch(() => undefined)
    }
  })()
  return {
    [Symbol.asyncDispose]: () => {
      stop.abort()
      return running
    },
  }
}
