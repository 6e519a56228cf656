import { createTestDatabase, type TestDatabase } from '@rookery/testkit'
import type pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { QueueFloor } from '../src/sequencer/queue-floor.ts'
import { say, until } from './event-fixtures.ts'

let db: TestDatabase
let leader: pg.PoolClient
let floor: QueueFloor

beforeEach(async () => {
  db = await createTestDatabase()
  leader = await db.pool.connect()
  floor = new QueueFloor()
})

afterEach(async () => {
  leader.release()
  await db[Symbol.asyncDispose]()
})

async function numberAll(): Promise<void> {
  await db.pool.query('delete from event_queue')
}

/** Raises the floor until it is there: transactions of other databases of the server hold it up as well. */
async function reaches(id: number): Promise<void> {
  await until(async () => {
    await floor.raise(leader)
    return floor.afterId === id
  }, `the floor is ${id}`)
}

async function lastId(): Promise<number> {
  const { rows } = await db.pool.query<{ id: number }>('select last_value as id from event_queue_id')
  return rows[0]?.id ?? 0
}

describe('QueueFloor', () => {
  test('rises to the last id that was taken once the transactions of then have ended', async () => {
    await floor.raise(leader)
    await floor.raise(leader)
    expect(floor.afterId).toBe(0)
    await say(db.pool, { host: 1, account: 1, n: 0 })
    await say(db.pool, { host: 1, account: 1, n: 1 })
    await numberAll()
    await reaches(await lastId())
  })

  test('stays below an id whose transaction is open, whatever was numbered above it', async () => {
    await say(db.pool, { host: 1, account: 1, n: 0 })
    const below = await lastId()
    await numberAll()
    const writer = await db.pool.connect()
    await writer.query('begin')
    await writer.query('select txid_current()')
    await say(writer, { host: 1, account: 1, n: 1 })
    await say(db.pool, { host: 1, account: 2, n: 0 })
    await numberAll()
    for (let n = 0; n < 5; n++) await floor.raise(leader)
    expect(floor.afterId).toBeLessThanOrEqual(below)
    await writer.query('commit')
    writer.release()
    // It has become visible and was not numbered yet.
    await reaches(below)
    for (let n = 0; n < 5; n++) await floor.raise(leader)
    expect(floor.afterId).toBe(below)
    await numberAll()
    await reaches(await lastId())
  })

  test('rises while a snapshot is held that keeps vacuum from removing rows', async () => {
    const reader = await db.pool.connect()
    await reader.query('begin isolation level repeatable read')
    await reader.query('select count(*) from event_queue')
    await say(db.pool, { host: 1, account: 1, n: 0 })
    await numberAll()
    await reaches(await lastId())
    expect(floor.afterId).toBe(1)
    await reader.query('commit')
    reader.release()
  })
})
