import { setTimeout as sleep } from 'node:timers/promises'

import { createTestDatabase, type TestDatabase, testRedis, type TestRedis } from '@rookery/testkit'
import type pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { countEvents } from '../src/event-batch.ts'
import { listEvents } from '../src/fanout/log-queries.ts'
import { clockSkewMsMax } from '../src/limits.ts'
import { LeaderSession, LeadershipLostError } from '../src/sequencer/leader-session.ts'
import { readSequencerMarks } from '../src/sequencer/marks-queries.ts'
import { EventPublisher } from '../src/sequencer/publisher.ts'
import { Sequencer, type SequencerOptions } from '../src/sequencer/sequencer.ts'
import { numberEvents, vacuumQueue } from '../src/sequencer/sequencer-queries.ts'
import { sequencerWaker } from '../src/sequencer-waker.ts'
import {
  byAccount,
  countQueued,
  expectedByAccount,
  preparePartitions,
  readLog,
  say,
  type Said,
  readSaid,
  silent,
  until,
  writeEvents,
} from './event-fixtures.ts'

const bounds = { rowsMax: 500, bytesMax: 1_000_000 }
let db: TestDatabase
let redis: TestRedis

beforeEach(async () => {
  db = await createTestDatabase({ poolMax: 20 })
  redis = await testRedis()
})

afterEach(async () => {
  await redis[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
})

function startSequencer(options: Partial<SequencerOptions> = {}): Sequencer {
  const deps = { log: silent, database: db.database, redis: redis.redis, keys: redis.keys }
  return new Sequencer(deps, { leaseMs: 1_000, retentionMs: 3_600_000, ...options })
}

/** Reads the log as a firehose does, by position, until aborted and at the end. */
async function followLog(signal: AbortSignal): Promise<Said[]> {
  const seen: Said[] = []
  for (;;) {
    const isLast = signal.aborted
    const page = await listEvents(db.pool, { ...bounds, afterSeq: seen.at(-1)?.seq ?? 0 })
    seen.push(...page.map(({ message }) => readSaid(payloadOf(message))))
    if (isLast && page.length === 0) return seen
  }
}

/** Returns what a WebSocket message carries. */
function payloadOf(message: Buffer): Buffer {
  const length = message[1] ?? 0
  return message.subarray(length < 126 ? 2 : length === 126 ? 4 : 10)
}

/** Rows of the queue that the session has read, statements that the server has not counted yet included. */
async function countLooks(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ looks: number }>(
    `select idx_tup_fetch + seq_tup_read as looks from pg_stat_xact_user_tables where relname = 'event_queue'`,
  )
  return rows[0]?.looks ?? 0
}

async function streamSeqs(): Promise<number[]> {
  const entries = await redis.redis.xrange(redis.keys.eventStream, '-', '+')
  return entries.map(([id]) => Number.parseInt(id, 10))
}

describe('Sequencer', () => {
  // SPEC EV-4, EV-12
  test('numbers every committed event once, per account in commit order, while leaders come and go', async () => {
    await using first = startSequencer()
    await using second = startSequencer()
    const sequencers = [first, second]
    const stopWriting = new AbortController()
    const stopReading = new AbortController()
    const reading = followLog(stopReading.signal)
    const wake = sequencerWaker(redis.redis, redis.keys)
    const writing = writeEvents(db.pool, { signal: stopWriting.signal, writers: 8, accounts: 12, wake })
    for (let round = 0; round < 4; round++) {
      await until(() => sequencers.some(({ isLeader }) => isLeader), 'somebody leads')
      const before = (await readLog(db.pool)).length
      await until(async () => (await readLog(db.pool)).length > before + 30, 'events are numbered')
      await db.pool.query(
        `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and objid = $1 and
          database = (select oid from pg_database where datname = current_database())`,
        [0x726f6f6b],
      )
    }
    stopWriting.abort()
    const committed = await writing
    await until(async () => (await countQueued(db.pool)) === 0, 'everything is numbered')
    stopReading.abort()
    const seen = await reading
    const log = await readLog(db.pool)
    expect(byAccount(log)).toEqual(expectedByAccount(committed))
    expect(seen).toEqual(log)
    await until(async () => (await streamSeqs()).at(-1) === log.at(-1)?.seq, 'everything is published')
  })

  test('a wake-up makes it look at once', async () => {
    const hourMs = 3_600_000
    await using sequencer = startSequencer({ pollMs: hourMs })
    await until(() => sequencer.isLeader, 'it leads')
    const wake = sequencerWaker(redis.redis, redis.keys)
    for (let n = 1; n <= 20; n++) {
      await say(db.pool, { host: 1, account: 1, n })
      await until(async () => {
        // The listener may still be connecting: a message before that is lost, as it may be in life.
        wake()
        return (await streamSeqs()).length === n
      }, 'the event is published')
    }
    expect(await streamSeqs()).toEqual((await readLog(db.pool)).map(({ seq }) => seq))
  })

  test('at rest the database knows that all is published', async () => {
    await using _ = startSequencer({ pollMs: 20 })
    for (let n = 1; n <= 3; n++) await say(db.pool, { host: 1, account: 1, n })
    await until(async () => {
      const isAllNumbered = (await readLog(db.pool)).length === 3
      const { assignedSeq, publishedSeq } = await readSequencerMarks(db.pool)
      return isAllNumbered && publishedSeq === assignedSeq
    }, 'the last event is noted as published')
    expect((await streamSeqs()).at(-1)).toBe((await readSequencerMarks(db.pool)).publishedSeq)
  })

  test('a leader that was silent for longer than the lease can neither number nor publish', async () => {
    await preparePartitions(db.pool)
    const silenceMsMax = 200
    await using stopped = await LeaderSession.open(db.database, { silenceMsMax, answerMsMax: 5_000 })
    const oldTerm = await stopped.tryLead()
    await say(db.pool, { host: 1, account: 1, n: 0 })
    const number = (session: LeaderSession, term: number) =>
      session.run((client) =>
        numberEvents(client, { ...bounds, term, afterId: 0, nowMicros: Date.now() * 1_000, publishedSeq: 0 }),
      )
    // Numbered by the leader before it stops, not published.
    const held = await number(stopped, oldTerm?.term ?? 0)
    expect(countEvents(held?.events ?? Buffer.alloc(0))).toBe(1)

    await using successor = startSequencer()
    await until(() => successor.isLeader, 'the successor leads', 2_000)
    await say(db.pool, { host: 1, account: 1, n: 1 })
    await until(async () => (await streamSeqs()).length === 2, 'the successor publishes both')
    const published = await streamSeqs()

    await say(db.pool, { host: 1, account: 1, n: 2 })
    await expect(number(stopped, oldTerm?.term ?? 0)).rejects.toThrow(LeadershipLostError)
    await new EventPublisher(redis.redis, redis.keys, 0).publish(held, held?.last_seq ?? 0)
    await until(async () => (await streamSeqs()).length === 3, 'the successor goes on')
    expect((await streamSeqs()).slice(0, 2)).toEqual(published)
    expect(byAccount(await readLog(db.pool))).toEqual(new Map([[1, [0, 1, 2]]]))
  })

  test('an old term numbers nothing, even on a connection that lives', async () => {
    await preparePartitions(db.pool)
    await using first = await LeaderSession.open(db.database, { silenceMsMax: 10_000, answerMsMax: 5_000 })
    const oldTerm = (await first.tryLead())?.term ?? 0
    await db.pool.query('update event_sequencer set term = term + 1')
    await say(db.pool, { host: 1, account: 1, n: 0 })
    const options = { ...bounds, term: oldTerm, afterId: 0, nowMicros: Date.now() * 1_000, publishedSeq: 0 }
    await expect(first.run((client) => numberEvents(client, options))).rejects.toThrow(LeadershipLostError)
    expect(await countQueued(db.pool)).toBe(1)
  })

  test('a round looks at the events that it numbers, however many wait', async () => {
    await preparePartitions(db.pool)
    await using session = await LeaderSession.open(db.database, { silenceMsMax: 10_000, answerMsMax: 5_000 })
    const term = (await session.tryLead())?.term ?? 0
    const options = { term, afterId: 0, rowsMax: 50, bytesMax: 1_000_000, publishedSeq: 0 }
    const round = (client: pg.ClientBase) =>
      numberEvents(client, { ...options, nowMicros: Date.now() * 1_000 })
    const sayMany = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) await say(db.pool, { host: 1, account: 1, n })
    }
    await sayMany(100)
    await session.run(round)
    await session.run(round)
    // The queue has pages and no rows, as it has whenever the leader vacuums it: plans are made for that.
    await vacuumQueue(db.pool)
    for (let n = 0; n < 10; n++) {
      await sayMany(1)
      await session.run(round)
    }
    await sayMany(1_000)
    const looks = await session.run(async (client) => {
      await client.query('begin')
      const before = await countLooks(client)
      await round(client)
      const after = await countLooks(client)
      await client.query('commit')
      return after - before
    })
    // To find them, to move them, to delete them.
    expect(looks).toBe(50 * 3)
    expect(await countQueued(db.pool)).toBe(950)
  })

  // SPEC EV-4
  test('seq is the clock in microseconds, or one above the last', async () => {
    let nowMicros = 2 ** 50
    await using sequencer = startSequencer({ nowMicros: () => nowMicros })
    await say(db.pool, { host: 1, account: 1, n: 0 })
    await say(db.pool, { host: 1, account: 1, n: 1 })
    await until(async () => (await countQueued(db.pool)) === 0, 'both are numbered')
    nowMicros = 2 ** 50 - 1_000 * clockSkewMsMax + 10
    await say(db.pool, { host: 1, account: 1, n: 2 })
    await until(async () => (await countQueued(db.pool)) === 0, 'the third is numbered')
    const seqs = (await readLog(db.pool)).map(({ seq }) => seq)
    expect(seqs).toEqual([2 ** 50, 2 ** 50 + 1, 2 ** 50 + 2])
    expect(sequencer.isLeader).toBe(true)
  })

  test('does not lead with a clock behind the last seq by more than the skew', async () => {
    let nowMicros = 2 ** 50
    await using sequencer = startSequencer({ nowMicros: () => nowMicros })
    await say(db.pool, { host: 1, account: 1, n: 0 })
    await until(async () => (await countQueued(db.pool)) === 0, 'the first is numbered')
    nowMicros -= 1_000 * clockSkewMsMax + 1
    await until(() => !sequencer.isLeader, 'it resigns')
    await say(db.pool, { host: 1, account: 1, n: 1 })
    await sleep(300)
    expect(await countQueued(db.pool)).toBe(1)
    nowMicros = 2 ** 50 + 5
    await until(async () => (await countQueued(db.pool)) === 0, 'the second is numbered')
    expect((await readLog(db.pool)).map(({ seq }) => seq)).toEqual([2 ** 50, 2 ** 50 + 5])
  })

  // SPEC EV-4
  test('a database restored to an earlier time goes on above every seq it ever gave', async () => {
    await using sequencer = startSequencer()
    for (let n = 0; n < 5; n++) await say(db.pool, { host: 1, account: 1, n })
    await until(async () => (await countQueued(db.pool)) === 0, 'all are numbered')
    const before = await readLog(db.pool)
    const kept = before[1]?.seq ?? 0
    await db.pool.query('delete from event_log where seq > $1', [kept])
    await db.pool.query('update event_sequencer set assigned_seq = $1, published_seq = $1', [kept])
    await say(db.pool, { host: 1, account: 1, n: 9 })
    await until(async () => (await countQueued(db.pool)) === 0, 'the new one is numbered')
    const after = (await readLog(db.pool)).at(-1)
    expect(after?.n).toBe(9)
    expect(after?.seq).toBeGreaterThan(before.at(-1)?.seq ?? 0)
    expect(sequencer.isLeader).toBe(true)
  })

  // SPEC EV-13
  test('creates partitions ahead and drops those past retention, noting what each host lost', async () => {
    let nowMicros = 2 ** 50
    const tenant = await db.pool.query<{ id: number }>(
      `insert into tenant (slug, name) values ('a', 'A') returning id`,
    )
    await db.pool.query(
      `insert into host (id, hostname, public_url, service_did, default_tenant_id) overriding system value
       values (1, 'a.test', 'https://a.test', 'did:web:a.test', $1), (2, 'b.test', 'https://b.test', 'did:web:b.test', $1)`,
      [tenant.rows[0]?.id],
    )
    const retentionMs = 120_000
    const partitions = () =>
      db.pool.query<{ relname: string }>(
        `select relname from pg_class where relname ~ '^event_log_[0-9]+_[0-9]+$' and relkind = 'r'`,
      )
    {
      await using first = startSequencer({ nowMicros: () => nowMicros, retentionMs })
      await say(db.pool, { host: 1, account: 1, n: 0 })
      await say(db.pool, { host: 1, account: 1, n: 1 })
      await until(async () => (await countQueued(db.pool)) === 0, 'both are numbered')
      expect(first.isLeader).toBe(true)
      expect((await partitions()).rows.length).toBeGreaterThan(1)
    }
    nowMicros += 1_000 * 10 * retentionMs
    await using second = startSequencer({ nowMicros: () => nowMicros, retentionMs })
    await say(db.pool, { host: 1, account: 1, n: 2 })
    await until(async () => (await countQueued(db.pool)) === 0, 'the third is numbered')
    expect(second.isLeader).toBe(true)
    expect((await readLog(db.pool)).map(({ n }) => n)).toEqual([2])
    const dropped = await db.pool.query('select host_id, seq from event_dropped')
    expect(dropped.rows).toEqual([{ host_id: 1, seq: 2 ** 50 + 1 }])
  })
})
