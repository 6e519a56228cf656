import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { Frame } from '@atproto/xrpc-server'
import { loadConfig } from '@rookery/config'
import {
  appendEvent,
  encodeIdentityFrame,
  encodeSyncFrame,
  type NewEvent,
  Sequencer,
  sequencerWaker,
} from '@rookery/events'
import { createLogger } from '@rookery/telemetry'
import { createHost, createTenant } from '@rookery/tenants'
import { createTestDatabase, type TestDatabase, testRedis, type TestRedis } from '@rookery/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { type Firehose, startFirehose } from '../src/app.ts'
import { connectionsPerIpMax } from '../src/limits.ts'

const log = createLogger('test', 'silent')
const time = '2026-01-01T00:00:00.000Z'
const method = '/xrpc/com.atproto.sync.subscribeRepos'
const hosts = ['a.test', 'b.test'] as const
const firstHost = 1

let stack: AsyncDisposableStack
let db: TestDatabase
let redis: TestRedis
let wake: () => void

beforeEach(async () => {
  stack = new AsyncDisposableStack()
  db = stack.use(await createTestDatabase({ poolMax: 10 }))
  redis = stack.use(await testRedis())
  wake = sequencerWaker(redis.redis, redis.keys)
  await createTenant(db.database.kysely, { slug: 'demo', name: 'Demo' })
  for (const hostname of hosts) await createHost(db.database.kysely, { hostname, tenant: 'demo' })
})

afterEach(() => stack.disposeAsync())

function startSequencer(): Sequencer {
  const deps = { log, database: db.database, redis: redis.redis, keys: redis.keys }
  return stack.use(new Sequencer(deps, { leaseMs: 1_000, retentionMs: 3_600_000 }))
}

async function startPod(env: Record<string, string> = {}): Promise<Firehose> {
  const config = loadConfig(['firehose'], {
    ROOKERY_DATABASE_URL: db.url,
    ROOKERY_REDIS_URL: redis.url,
    ROOKERY_REDIS_PREFIX: redis.prefix,
    ROOKERY_HTTP_ADDRESS: '127.0.0.1',
    ROOKERY_HTTP_PORT: '0',
    ROOKERY_HTTP_INTERNAL_PORT: '0',
    ROOKERY_HTTP_STOP_DELAY_MS: '0',
    ROOKERY_HTTP_DRAIN_MS: '0',
    ...env,
  })
  return stack.use(await startFirehose(config, log))
}

/** Queues identity events, numbered from `from`. */
async function say(count: number, options: { hostId?: number; from?: number } = {}): Promise<void> {
  const { hostId = firstHost, from = 0 } = options
  for (let n = from; n < from + count; n++) {
    await append({
      hostId,
      accountId: 1,
      kind: 'identity',
      frame: encodeIdentityFrame({ did: `did:plc:${n}`, time }),
    })
  }
  wake()
}

async function append(event: NewEvent): Promise<void> {
  await appendEvent(db.pool, event)
}

async function allNumbered(): Promise<number[]> {
  for (;;) {
    const { rows } = await db.pool.query<{ queued: number; seqs: number[] | null }>(
      `select (select count(*) from event_queue) as queued,
        (select array_agg(seq::float8 order by seq) from event_log where host_id = $1) as seqs`,
      [firstHost],
    )
    if (rows[0]?.queued === 0) return rows[0].seqs ?? []
    await sleep(10)
  }
}

/** A subscriber that keeps all it gets. */
class Client implements Disposable {
  readonly socket: WebSocket
  readonly messages: Buffer[] = []
  readonly closed: Promise<number>

  constructor(pod: Firehose, query = '', host: string = hosts[0]) {
    this.socket = new WebSocket(`ws://127.0.0.1:${pod.port}${method}${query}`, { headers: { host } })
    this.socket.on('message', (data: Buffer) => this.messages.push(data))
    this.socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => this.socket.on('close', resolve))
  }

  async open(): Promise<this> {
    await once(this.socket, 'open')
    return this
  }

  /** Resolves to the first messages when there are so many. */
  async take(count: number): Promise<Buffer[]> {
    while (this.messages.length < count)
      await once(this.socket, 'message', { signal: AbortSignal.timeout(15_000) })
    return this.messages.slice(0, count)
  }

  frames(): Frame[] {
    return this.messages.map((message) => Frame.fromBytes(message))
  }

  seqs(): number[] {
    return this.frames().map(({ body }) => (body as { seq: number }).seq)
  }

  [Symbol.dispose](): void {
    this.socket.terminate()
  }
}

async function refusal(pod: Firehose, query: string, host: string = hosts[0]): Promise<[number, unknown]> {
  const socket = new WebSocket(`ws://127.0.0.1:${pod.port}${method}${query}`, { headers: { host } })
  socket.on('error', () => undefined)
  const [, response] = await once(socket, 'unexpected-response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return [response.statusCode, JSON.parse(Buffer.concat(chunks).toString())]
}

describe('com.atproto.sync.subscribeRepos', () => {
  test('two pods send the same bytes to every cursor, of their own host only', async () => {
    startSequencer()
    const [one, two] = [await startPod(), await startPod()]
    using live = await new Client(one).open()
    await say(30)
    await say(30, { hostId: 2 })
    const seqs = await allNumbered()
    await live.take(30)
    expect(live.seqs()).toEqual(seqs)
    for (const pod of [one, two]) {
      using all = new Client(pod, '?cursor=0')
      expect(await all.take(30)).toEqual(live.messages)
      using rest = new Client(pod, `?cursor=${seqs[11]}`)
      expect(await rest.take(18)).toEqual(live.messages.slice(12))
    }
    using other = new Client(two, '?cursor=0', hosts[1])
    await other.take(30)
    expect(other.seqs().filter((seq) => seqs.includes(seq))).toEqual([])
  })

  test('a cursor resumes on another pod under load without gap or duplicate', async () => {
    startSequencer()
    const pods = [await startPod(), await startPod()]
    let cursor = 0
    const seen: Buffer[] = []
    const writing = (async () => {
      for (let n = 0; n < 600; n += 20) {
        await say(20, { from: n })
        await sleep(5)
      }
    })()
    for (let turn = 0; seen.length < 600; turn++) {
      using client = new Client(pods[turn % 2]!, `?cursor=${cursor}`)
      await client.take(Math.min(37, 600 - seen.length))
      seen.push(...client.messages)
      cursor = client.seqs().at(-1) ?? cursor
    }
    await writing
    const said = seen.map((message) => (Frame.fromBytes(message).body as { did: string }).did)
    expect(said).toEqual(Array.from({ length: 600 }, (_, n) => `did:plc:${n}`))
  })

  // SPEC EV-5
  test('backfills many pages and goes on live', async () => {
    startSequencer()
    await say(1_300)
    const seqs = await allNumbered()
    const pod = await startPod()
    using client = new Client(pod, '?cursor=0')
    await client.take(1_300)
    await say(5, { from: 1_300 })
    await client.take(1_305)
    expect(client.seqs().slice(0, 1_300)).toEqual(seqs)
    expect(client.seqs()).toEqual(await allNumbered())
  })

  // SPEC EV-5
  test('a cursor above everything and the clock is refused; one that may only be ahead of this pod waits', async () => {
    startSequencer()
    const pod = await startPod()
    await say(1)
    await allNumbered()
    using future = new Client(pod, `?cursor=${(Date.now() + 60_000) * 1_000}`)
    expect(await future.closed).toBe(1008)
    const [frame] = future.frames()
    expect(frame?.isError()).toBe(true)
    expect(frame?.body).toEqual({ error: 'FutureCursor', message: 'Cursor in the future.' })

    using ahead = await new Client(pod, `?cursor=${(Date.now() + 500) * 1_000}`).open()
    await sleep(700)
    await say(1, { from: 1 })
    await ahead.take(1)
    expect(ahead.frames()[0]?.body).toMatchObject({ did: 'did:plc:1' })
  })

  // SPEC EV-7
  test('a cursor equal to the last seq is live', async () => {
    startSequencer()
    const pod = await startPod()
    await say(3)
    const seqs = await allNumbered()
    using client = await new Client(pod, `?cursor=${seqs[2]}`).open()
    await say(1, { from: 3 })
    await client.take(1)
    expect(client.frames()[0]?.body).toMatchObject({ did: 'did:plc:3' })
  })

  // SPEC EV-5
  test('a cursor that has missed events gets #info OutdatedCursor, then the window', async () => {
    startSequencer()
    await say(3)
    await allNumbered()
    await sleep(1_100)
    await say(2, { from: 3 })
    const seqs = await allNumbered()
    const pod = await startPod({ ROOKERY_EVENTS_RETENTION_MS: '1000' })
    using client = new Client(pod, `?cursor=${seqs[0]}`)
    await client.take(3)
    expect(client.frames()[0]?.header).toEqual({ op: 1, t: '#info' })
    expect(client.frames()[0]?.body).toMatchObject({ name: 'OutdatedCursor' })
    expect(client.seqs().slice(1)).toEqual(seqs.slice(3))
  })

  test('an old cursor that has missed nothing gets no #info', async () => {
    startSequencer()
    await say(3)
    const seqs = await allNumbered()
    await sleep(1_100)
    const pod = await startPod({ ROOKERY_EVENTS_RETENTION_MS: '1000' })
    using client = await new Client(pod, `?cursor=${seqs[2]}`).open()
    await say(1, { from: 3 })
    await client.take(1)
    expect(client.frames()[0]?.body).toMatchObject({ did: 'did:plc:3' })
  })

  // SPEC EV-2
  test('refuses before the upgrade in JSON', async () => {
    const pod = await startPod()
    for (const cursor of ['abc', '1.5', '', '99999999999999999']) {
      expect(await refusal(pod, `?cursor=${cursor}`)).toEqual([
        400,
        { error: 'InvalidRequest', message: 'cursor must be an integer' },
      ])
    }
    expect(await refusal(pod, '', 'nobody.test')).toMatchObject([404, { error: 'HostNotFound' }])
    for (const [verb, status] of Object.entries({ GET: 426, POST: 405, HEAD: 405, OPTIONS: 405 })) {
      const socket = connect(pod.port, '127.0.0.1')
      socket.write(`${verb} ${method} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`)
      const [answer] = await once(socket, 'data')
      expect(String(answer)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
      socket.destroy()
    }
  })

  // SPEC EV-3, EV-10
  test('answers pings and ignores what clients send', async () => {
    startSequencer()
    const pod = await startPod()
    using client = await new Client(pod).open()
    client.socket.send('hello')
    client.socket.send(Buffer.alloc(1_000))
    client.socket.ping('are you there')
    const [payload] = await once(client.socket, 'pong')
    expect(String(payload)).toBe('are you there')
    await say(1)
    await client.take(1)
  })

  test('allows connectionsPerIpMax connections of one address and no more', async () => {
    const pod = await startPod()
    const clients = await Promise.all(
      Array.from({ length: connectionsPerIpMax }, () => new Client(pod).open()),
    )
    expect(await refusal(pod, '')).toMatchObject([429, { error: 'RateLimitExceeded' }])
    clients.pop()?.[Symbol.dispose]()
    await expect.poll(() => new Client(pod).open().then(() => true)).toBe(true)
    for (const client of clients) client[Symbol.dispose]()
  })

  test('a pod that stops sends its subscribers away and they go on elsewhere', async () => {
    startSequencer()
    const [one, two] = [await startPod({ ROOKERY_HTTP_DRAIN_MS: '200' }), await startPod()]
    using client = await new Client(one, '?cursor=0').open()
    await say(5)
    await client.take(5)
    await one[Symbol.asyncDispose]()
    expect(await client.closed).toBe(1001)
    await say(5, { from: 5 })
    using next = new Client(two, `?cursor=${client.seqs().at(-1)}`)
    await next.take(5)
    expect([...client.seqs(), ...next.seqs()]).toEqual(await allNumbered())
  })

  test('a subscriber that falls out of the ring gets everything from the log', async () => {
    startSequencer()
    const pod = await startPod({ ROOKERY_EVENTS_RING_BYTES_MAX: '1000000' })
    using client = await new Client(pod, '?cursor=0').open()
    client.socket.pause()
    const blocks = Buffer.alloc(90_000, 1)
    for (let n = 0; n < 150; n++) {
      const frame = encodeSyncFrame({ did: `did:plc:${n}`, rev: 'r', blocks, time })
      await append({ hostId: firstHost, accountId: 1, kind: 'sync', frame })
    }
    const seqs = await allNumbered()
    client.socket.resume()
    await client.take(150)
    expect(client.seqs()).toEqual(seqs)
  })
})
