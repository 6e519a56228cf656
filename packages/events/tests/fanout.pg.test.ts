import { setTimeout as sleep } from 'node:timers/promises'

import type { Connection } from '@rookery/db'
import { createTestDatabase, type TestDatabase, testRedis, type TestRedis } from '@rookery/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { EventTail } from '../src/fanout/event-tail.ts'
import type { LogPool } from '../src/fanout/log-queries.ts'
import { Fanout, FutureCursorError } from '../src/fanout/fanout.ts'
import { appendEvent } from '../src/append-event.ts'
import { EventRing } from '../src/fanout/event-ring.ts'
import { encodeSyncFrame, writeSeq } from '../src/frames/event-frames.ts'
import { websocketFrame } from '../src/frames/websocket-frame.ts'
import {
  chunkBytesMax,
  clockSkewMsMax,
  gatherMsMax,
  gatherMsPerWrite,
  logPageBytesMax,
  pendingBytesMax,
} from '../src/limits.ts'
import { Sequencer } from '../src/sequencer/sequencer.ts'
import { sequencerWaker } from '../src/sequencer-waker.ts'
import { countQueued, say, silent, until, writeEvents } from './event-fixtures.ts'
import { MemorySink } from './memory-sink.ts'

let stack: AsyncDisposableStack
let db: TestDatabase
let redis: TestRedis
let wake: () => void

beforeEach(async () => {
  stack = new AsyncDisposableStack()
  db = stack.use(await createTestDatabase({ poolMax: 20 }))
  redis = stack.use(await testRedis())
  wake = sequencerWaker(redis.redis, redis.keys)
  const deps = { log: silent, database: db.database, redis: redis.redis, keys: redis.keys }
  stack.use(new Sequencer(deps, { leaseMs: 1_000, retentionMs: 3_600_000 }))
})

afterEach(() => stack.disposeAsync())

async function startPod(
  options: { ringBytesMax?: number; stallMsMax?: number; pool?: LogPool } = {},
): Promise<Fanout> {
  const { ringBytesMax = 10_000_000, stallMsMax, pool = db.pool } = options
  let fanout: Fanout | undefined
  const tail = stack.use(
    await EventTail.start(
      { log: silent, pool: db.pool, redis: redis.redis, keys: redis.keys },
      { ringBytesMax, onEvents: (hostIds) => fanout?.onEvents(hostIds) },
    ),
  )
  fanout = stack.use(
    new Fanout(
      { log: silent, pool, ring: tail.ring },
      { retentionMs: 3_600_000, ...(stallMsMax === undefined ? {} : { stallMsMax }) },
    ),
  )
  return fanout
}

/** Queues events of host 1 of so many bytes each. */
async function sayMuch(count: number, bytes: number): Promise<void> {
  const blocks = Buffer.alloc(bytes, 1)
  for (let n = 0; n < count; n++) {
    const frame = encodeSyncFrame({ did: 'did:plc:1', rev: 'r', time: 't', blocks })
    await appendEvent(db.pool, { hostId: 1, accountId: 1, kind: 'sync', frame })
  }
  wake()
}

async function allNumbered(): Promise<number[]> {
  await until(async () => (await countQueued(db.pool)) === 0, 'everything is numbered')
  return logged()
}

async function logged(): Promise<number[]> {
  const { rows } = await db.pool.query<{ seq: number }>(
    'select seq from event_log where host_id = 1 order by seq',
  )
  return rows.map(({ seq }) => seq)
}

describe('Fanout', () => {
  // SPEC EV-6, EV-12
  test('whenever a subscriber comes, from wherever, however slow: no gap, no duplicate', async () => {
    // A ring of some dozen events: most subscribers change between log and ring several times.
    const fanout = await startPod({ ringBytesMax: 5_000 })
    const stopWriting = new AbortController()
    const { signal } = stopWriting
    const writing = writeEvents(db.pool, { signal, writers: 8, accounts: 20, hosts: 1, wake })
    const subscribers: { cursor: number; sink: MemorySink; resume: () => void }[] = []
    for (let n = 0; n < 40; n++) {
      await sleep(20)
      const seqs = await logged()
      const cursor = seqs[Math.floor(Math.random() * seqs.length)] ?? 0
      const sink = new MemorySink()
      const subscription = await fanout.subscribe(1, cursor, sink)
      subscribers.push({ cursor, sink, resume: () => subscription.resume() })
      for (const other of subscribers) {
        if (Math.random() < 0.3) {
          other.sink.isHeld = !other.sink.isHeld
          if (!other.sink.isHeld) other.sink.release()
        }
        if (!other.sink.isHeld || Math.random() < 0.1) other.resume()
      }
    }
    stopWriting.abort()
    await writing
    const seqs = await allNumbered()
    for (const { cursor, sink, resume } of subscribers) {
      sink.release()
      resume()
      const expected = seqs.filter((seq) => seq > cursor)
      await until(() => sink.seqs().length >= expected.length, 'everything is sent')
      expect(sink.seqs()).toEqual(expected)
    }
  })

  test('writes no more than pendingBytesMax and a page ahead of a slow connection, and later the rest', async () => {
    const fanout = await startPod({ ringBytesMax: 1_000_000 })
    const slow = new MemorySink()
    slow.isHeld = true
    const quick = new MemorySink()
    const subscription = await fanout.subscribe(1, 0, slow)
    await fanout.subscribe(1, 0, quick)
    await sayMuch(60, 100_000)
    const seqs = await allNumbered()
    await until(() => quick.seqs().length === 60, 'the quick one has everything')
    expect(slow.seqs().length).toBeLessThan(30)
    while (slow.seqs().length < 60) {
      slow.pendingBytes = 0
      subscription.resume()
      await sleep(5)
    }
    expect(slow.seqs()).toEqual(seqs)
    expect(slow.pendingBytesMax).toBeLessThan(pendingBytesMax + logPageBytesMax + 200_000)
  })

  // SPEC EV-8
  test('sends ConsumerTooSlow to a connection that takes nothing for stallMsMax', async () => {
    const fanout = await startPod({ stallMsMax: 1_500 })
    const [stalled, slow] = [new MemorySink(), new MemorySink()]
    stalled.isHeld = slow.isHeld = true
    await fanout.subscribe(1, undefined, stalled)
    await fanout.subscribe(1, undefined, slow)
    await sayMuch(5, 200_000)
    const draining = setInterval(() => {
      slow.pendingBytes = Math.max(1, slow.pendingBytes - 1)
    }, 100)
    await until(() => stalled.closed !== undefined, 'it is closed')
    clearInterval(draining)
    expect(stalled.closed).toEqual({ code: 1008, reason: 'ConsumerTooSlow' })
    expect(stalled.frames().at(-1)?.body).toMatchObject({ error: 'ConsumerTooSlow' })
    expect(slow.closed).toBeUndefined()
    expect(fanout.size).toBe(1)
  })

  test('an event that comes while a page is read is not skipped', async () => {
    await sayMuch(1, 100)
    const [firstSeq] = await allNumbered()
    // The ring starts here: what the host said after the first event is a question for the log.
    await say(db.pool, { host: 2, account: 2, n: 0 })
    await allNumbered()
    let whileReading: (() => Promise<void>) | undefined
    // Between a page and its use the fan-out asks what retention has dropped.
    const query = async (config: { name?: string; text: string }): Promise<unknown> => {
      if (config.name === 'event_dropped') await whileReading?.()
      return db.pool.query(config)
    }
    const connect = (): Promise<Connection> => db.pool.connect()
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Named statements use this form only.
    const fanout = await startPod({ pool: { query, connect } as unknown as LogPool })
    const live = new MemorySink()
    await fanout.subscribe(1, undefined, live)
    whileReading = async () => {
      whileReading = undefined
      await sayMuch(1, 100)
      await until(() => live.seqs().length === 1, 'the event is in the ring')
    }
    const late = new MemorySink()
    await fanout.subscribe(1, firstSeq, late)
    await until(() => live.seqs().length === 1, 'the event is in the ring')
    await until(() => late.seqs().length === 1, 'the late one has it too')
    expect(late.seqs()).toEqual(live.seqs())
  })

  test('backfilling subscribers take turns', async () => {
    await sayMuch(80, 100_000)
    const seqs = await allNumbered()
    const fanout = await startPod({ ringBytesMax: 1_000_000 })
    const order: number[] = []
    const sinks = Array.from({ length: 12 }, (_, n) => new MemorySink(() => order.push(n)))
    await Promise.all(sinks.map((sink) => fanout.subscribe(1, 0, sink)))
    const all = order.length
    await until(() => sinks.every((sink) => sink.written.length === 8), 'everybody has eight pages')
    for (const sink of sinks) expect(sink.seqs()).toEqual(seqs)
    // From when all were there: between two pages of one, nobody else has more than two.
    for (const [from, who] of order.entries()) {
      const to = order.indexOf(who, from + 1)
      if (from < all || to === -1) continue
      const between = order.slice(from + 1, to)
      for (const other of between) expect(between.filter((n) => n === other).length).toBeLessThanOrEqual(2)
    }
  })

  test('a slow subscriber whose next event has expired is told, not given a gap', async () => {
    const fanout = await startPod({ ringBytesMax: 1_000_000 })
    const sink = new MemorySink()
    sink.isHeld = true
    const quick = new MemorySink()
    const subscription = await fanout.subscribe(1, 0, sink)
    await fanout.subscribe(1, 0, quick)
    await sayMuch(60, 100_000)
    const seqs = await allNumbered()
    await until(() => quick.seqs().length === 60, 'the ring has let the first events go')
    expect(sink.pendingBytes).toBeGreaterThan(pendingBytesMax)
    await db.pool.query('insert into event_dropped (host_id, seq) values (1, $1)', [seqs[50]])
    await db.pool.query('delete from event_log where seq <= $1', [seqs[50]])
    sink.release()
    subscription.resume()
    await until(() => sink.closed !== undefined, 'it is closed')
    expect(sink.frames().at(-1)?.body).toMatchObject({ error: 'ConsumerTooSlow' })
    const sent = sink.seqs()
    expect(sent).toEqual(seqs.slice(0, sent.length))
  })

  test('refuses a cursor above the clock by more than the skew, unless it was assigned', async () => {
    const fanout = await startPod()
    const future = (Date.now() + clockSkewMsMax + 60_000) * 1_000
    await expect(fanout.subscribe(1, future, new MemorySink())).rejects.toThrow(FutureCursorError)
    await db.pool.query('update event_sequencer set assigned_seq = $1', [future])
    await fanout.subscribe(1, future, new MemorySink())
    await expect(fanout.subscribe(1, future + 1, new MemorySink())).rejects.toThrow(FutureCursorError)
  })

  test('after a round of many writes, events gather and go together', async () => {
    const ring = new EventRing(Date.now() * 1_000, 1_000_000)
    const fanout = stack.use(new Fanout({ log: silent, pool: db.pool, ring }, { retentionMs: 3_600_000 }))
    const add = (bytes = 100): void => {
      const frame = encodeSyncFrame({ did: 'd', rev: 'r', time: 't', blocks: Buffer.alloc(bytes) })
      const seq = ring.headSeq + 1
      const message = websocketFrame(writeSeq(frame.frame, frame.seqOffset, seq))
      ring.append({ seq, hostId: 1, message })
      fanout.onEvents(new Set([1]))
    }
    const sinks = Array.from({ length: gatherMsMax / gatherMsPerWrite }, () => new MemorySink())
    for (const sink of sinks) await fanout.subscribe(1, undefined, sink)
    for (let n = 0; n < 4; n++) add()
    for (const sink of sinks) expect(sink.seqs()).toHaveLength(1)
    await until(() => sinks.every((sink) => sink.seqs().length === 4), 'the others are written')
    for (const sink of sinks) expect(sink.written).toHaveLength(2)
    // As many bytes as a write takes wait for nothing.
    add(chunkBytesMax)
    for (const sink of sinks) expect(sink.seqs()).toHaveLength(5)
  })

  test('a new subscriber without a cursor gets only what comes after it', async () => {
    const fanout = await startPod()
    await say(db.pool, { host: 1, account: 1, n: 0 })
    wake()
    const first = new MemorySink()
    await fanout.subscribe(1, 0, first)
    await until(() => first.seqs().length === 1, 'the first event is there')
    const live = new MemorySink()
    await fanout.subscribe(1, undefined, live)
    await say(db.pool, { host: 1, account: 1, n: 1 })
    wake()
    await until(() => live.seqs().length === 1, 'the second event is there')
    expect(live.seqs()).toEqual((await allNumbered()).slice(1))
  })
})
