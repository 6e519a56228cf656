import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type Redis as RedisServer, startRedis } from '@rookery/local'
import { createRedis, redisKeys } from '@rookery/redis'
import { createTestDatabase, type TestDatabase } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { EventTail } from '../src/fanout/event-tail.ts'
import { Fanout } from '../src/fanout/fanout.ts'
import { Sequencer } from '../src/sequencer/sequencer.ts'
import { sequencerWaker } from '../src/sequencer-waker.ts'
import {
  byAccount,
  countQueued,
  expectedByAccount,
  preparePartitions,
  readLog,
  silent,
  until,
  writeEvents,
} from './event-fixtures.ts'
import { MemorySink } from './memory-sink.ts'

const hosts = [1, 2]
let dir: string
let db: TestDatabase
let server: RedisServer

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rookery-events-'))
  db = await createTestDatabase({ poolMax: 20 })
  server = await startRedis({ dir, durable: false })
})

afterAll(async () => {
  await server.stop()
  await db[Symbol.asyncDispose]()
  await rm(dir, { recursive: true })
})

describe('when Redis is flushed, restarted or hangs under load', () => {
  test('two pods send every committed event once and in order', { timeout: 90_000 }, async () => {
    await using stack = new AsyncDisposableStack()
    const keys = redisKeys('test:')
    const redis = stack.adopt(createRedis(silent, server.url), (connection) => connection.disconnect())
    const sequencer = stack.use(
      new Sequencer(
        { log: silent, database: db.database, redis, keys },
        { leaseMs: 5_000, retentionMs: 3_600_000 },
      ),
    )
    const sinks = await Promise.all([startPod(), startPod()])
    const stopWriting = new AbortController()
    const { signal } = stopWriting
    const wake = sequencerWaker(redis, keys)
    const writing = writeEvents(db.pool, { signal, writers: 6, accounts: 10, hosts: hosts.length, wake })

    for (let n = 0; n < 5; n++) {
      await redis.flushall()
      await progress(sinks)
    }
    const { port } = server
    await server.stop()
    await progress(sinks)
    server = await startRedis({ dir, port, durable: false })
    await progress(sinks)
    process.kill(server.pid, 'SIGSTOP')
    await progress(sinks)
    process.kill(server.pid, 'SIGCONT')
    await until(() => redis.status === 'ready', 'the connection is back')
    await progress(sinks)

    stopWriting.abort()
    const committed = await writing
    await until(async () => (await countQueued(db.pool)) === 0, 'everything is numbered')
    const log = await readLog(db.pool)
    expect(byAccount(log)).toEqual(expectedByAccount(committed))
    const { rows } = await db.pool.query<{ host_id: number; seq: number }>(
      'select host_id, seq from event_log order by seq',
    )
    for (const [hostId, sink] of sinks.flatMap((pod) => [...pod])) {
      const expected = rows.filter(({ host_id }) => host_id === hostId).map(({ seq }) => seq)
      await until(() => sink.seqs().length >= expected.length, 'everything is sent')
      expect(sink.seqs()).toEqual(expected)
    }
    expect(sequencer.isLeader).toBe(true)

    async function startPod(): Promise<Map<number, MemorySink>> {
      const deps = { log: silent, pool: db.pool, redis, keys }
      let fanout: Fanout | undefined
      const tail = stack.use(
        await EventTail.start(deps, { ringBytesMax: 1_000_000, onEvents: (ids) => fanout?.onEvents(ids) }),
      )
      fanout = stack.use(
        new Fanout({ log: silent, pool: db.pool, ring: tail.ring }, { retentionMs: 3_600_000 }),
      )
      const sinks = new Map<number, MemorySink>()
      for (const hostId of hosts) {
        const sink = new MemorySink()
        await fanout.subscribe(hostId, 0, sink)
        sinks.set(hostId, sink)
      }
      return sinks
    }
  })

  test('an event whose stream entry is lost is sent without a later one', async () => {
    await using stack = new AsyncDisposableStack()
    const { tail, seen } = await startTail(stack, 'lost:')
    const seqs = await logEvents(1)
    await until(() => tail.ring.headSeq === seqs[0], 'the tail finds it in the log')
    expect(seen).toEqual([hostOfTail])
  })

  test('a hole in the stream is filled before what follows it, and nothing is added twice', async () => {
    await using stack = new AsyncDisposableStack()
    const { tail, redis, stream } = await startTail(stack, 'hole:')
    const [first = 0, second = 0, third = 0] = await logEvents(3)
    const entry = (seq: number, prev: number) => [stream, `${seq}-0`, 'p', prev, 'e', batchOf(seq)] as const
    await redis
      .multi()
      .xadd(...entry(second, first))
      .xadd(...entry(third, second))
      .exec()
    await until(() => tail.ring.headSeq === third, 'the tail is at the head')
    const chunk = tail.ring.chunkAfter(hostOfTail, first - 1, 1_000)
    expect(chunk?.bytes.toString('latin1').match(/\d+;/g)).toEqual(
      [first, second, third].map((seq) => `${seq};`),
    )
  })
})

const hostOfTail = 7

async function startTail(stack: AsyncDisposableStack, prefix: string) {
  const keys = redisKeys(prefix)
  const redis = stack.adopt(createRedis(silent, server.url), (connection) => connection.disconnect())
  await until(() => redis.status === 'ready', 'the connection is there')
  const isRead = async () => String(await redis.client('LIST')).includes('cmd=xread')
  await until(async () => !(await isRead()), 'the tails of other tests are gone')
  await preparePartitions(db.pool)
  await db.pool.query('update event_sequencer set assigned_seq = greatest(assigned_seq, $1)', [
    Date.now() * 1_000,
  ])
  const seen: number[] = []
  const tail = stack.use(
    await EventTail.start(
      { log: silent, pool: db.pool, redis, keys },
      { ringBytesMax: 1_000_000, onEvents: (hostIds) => seen.push(...hostIds) },
    ),
  )
  // Its reader must be up before entries come: a tail without Redis reads the log anyway.
  await until(isRead, 'it reads the stream')
  return { tail, seen, redis, stream: keys.eventStream }
}

/** Returns the bytes of a batch of one event whose frame is its seq. */
function batchOf(seq: number): Buffer {
  const frame = Buffer.from(`${seq};`)
  const header = Buffer.alloc(16)
  header.writeBigUInt64BE(BigInt(seq))
  header.writeUInt32BE(hostOfTail, 8)
  header.writeUInt32BE(frame.length, 12)
  return Buffer.concat([header, frame])
}

/** Adds events to the log, in one transaction, whose frames are their seqs; returns the seqs. */
async function logEvents(count: number): Promise<number[]> {
  const { rows } = await db.pool.query<{ seq: number }>(
    `with next as (
       update event_sequencer set assigned_seq = assigned_seq + $1 returning assigned_seq as last
     )
     insert into event_log (host_id, seq, account_id, kind, frame)
     select $2, s, 1, 'sync', convert_to(s || ';', 'utf8')
     from next, generate_series(last - $1 + 1, last) s returning seq`,
    [count, hostOfTail],
  )
  return rows.map(({ seq }) => seq)
}

/** Resolves when every subscriber has received some more events. */
async function progress(pods: readonly Map<number, MemorySink>[]): Promise<void> {
  const sinks = pods.flatMap((pod) => [...pod.values()])
  const before = sinks.map((sink) => sink.seqs().length)
  await until(
    () => sinks.every((sink, n) => sink.seqs().length > (before[n] ?? 0) + 20),
    'subscribers receive events',
    15_000,
  )
}
