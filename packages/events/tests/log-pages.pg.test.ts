import { createTestDatabase, type TestDatabase } from '@rookery/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { LogPages } from '../src/fanout/log-pages.ts'
import { websocketFrame } from '../src/frames/websocket-frame.ts'
import { logCacheBytesMax, logPageBytesMax } from '../src/limits.ts'
import { preparePartitions } from './event-fixtures.ts'

const baseSeq = Date.now() * 1_000
let db: TestDatabase
let pages: LogPages

beforeEach(async () => {
  db = await createTestDatabase()
  await preparePartitions(db.pool, baseSeq)
  pages = new LogPages(db.pool)
})

afterEach(() => db[Symbol.asyncDispose]())

/** Puts events of so many bytes into the log, every second one for another host; returns their frames. */
async function log(count: number, bytes: number): Promise<Buffer[]> {
  const frames = Array.from({ length: count }, (_, n) => Buffer.alloc(bytes, n + 1))
  await db.pool.query(
    `insert into event_log (host_id, seq, account_id, kind, frame)
     select 1 + n % 2, $1::bigint + n, 1, 'sync', f from unnest($2::bytea[]) with ordinality as u(f, n)`,
    [baseSeq, frames],
  )
  return frames
}

describe('LogPages', () => {
  test('a page has the events of one host after a position, ready to be written', async () => {
    const frames = await log(8, 300)
    const { bytes, throughSeq } = await pages.after(1, baseSeq + 2, baseSeq + 8)
    expect(bytes).toEqual(Buffer.concat([3, 5, 7].map((n) => websocketFrame(frames[n]!))))
    expect(throughSeq).toBe(baseSeq + 8)
  })

  test('where the log has nothing, a page ends where the log was known to end', async () => {
    await log(4, 10)
    expect(await pages.after(1, baseSeq + 4, baseSeq + 4)).toEqual({
      bytes: Buffer.alloc(0),
      throughSeq: baseSeq + 4,
    })
    expect((await pages.after(3, baseSeq, baseSeq + 4)).throughSeq).toBe(baseSeq + 4)
    expect((await pages.after(3, baseSeq + 9, baseSeq + 4)).throughSeq).toBe(baseSeq + 9)
  })

  test('subscribers at one position share a page, later ones only a full one', async () => {
    await log(6, logPageBytesMax / 2)
    const [one, two] = await Promise.all([pages.after(1, baseSeq, 0), pages.after(1, baseSeq, 0)])
    expect(two).toBe(one)
    expect(await pages.after(1, baseSeq, 0)).toBe(one)
    const last = await pages.after(1, one.throughSeq, 0)
    expect(last.throughSeq).toBe(baseSeq + 6)
    await db.pool.query(
      `insert into event_log (host_id, seq, account_id, kind, frame) values (1, $1, 1, 'sync', '\\x01')`,
      [baseSeq + 7],
    )
    expect((await pages.after(1, one.throughSeq, 0)).throughSeq).toBe(baseSeq + 7)
  })

  test('keeps logCacheBytesMax of pages and lets go of those that nobody asked for', async () => {
    const perPage = logPageBytesMax
    const count = Math.ceil(logCacheBytesMax / perPage) + 2
    for (let from = 0; from < count; from += 10) {
      const rows = Array.from({ length: 10 }, (_, n) => from + n)
      await db.pool.query(
        `insert into event_log (host_id, seq, account_id, kind, frame)
         select 1, $1::bigint + n, 1, 'sync', decode(repeat('ab', $2), 'hex') from unnest($3::integer[]) n`,
        [baseSeq, perPage, rows],
      )
    }
    const first = await pages.after(1, baseSeq - 1, 0)
    const second = await pages.after(1, baseSeq, 0)
    for (let n = 1; n < count; n++) {
      await pages.after(1, baseSeq + n, 0)
      expect(await pages.after(1, baseSeq - 1, 0)).toBe(first)
    }
    expect(await pages.after(1, baseSeq, 0)).not.toBe(second)
  })

  test('a page that could not be read is asked for again', async () => {
    await log(2, 10)
    await db.pool.query('alter table event_log rename to hidden')
    await expect(pages.after(1, baseSeq, 0)).rejects.toThrow('event_log')
    await db.pool.query('alter table hidden rename to event_log')
    expect((await pages.after(1, baseSeq, 0)).throughSeq).toBe(baseSeq + 2)
  })
})
