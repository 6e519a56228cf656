import { addJob, listJobs } from '@rookery/jobs'
import { createHost, createTenant, updateHost } from '@rookery/tenants'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { type Surroundings, setUp } from './support.ts'

let world: Surroundings
beforeEach(async () => {
  world = await setUp()
  await createTenant(world.db.database.kysely, { slug: 'acme', name: 'Acme' })
})
afterEach(() => world[Symbol.asyncDispose]())

const patience = { timeout: 15_000, interval: 20 }

async function idle(): Promise<void> {
  await vi.waitFor(async () => expect(await listJobs(world.db.pool, { state: 'open' })).toEqual([]), patience)
}

describe('a worker', () => {
  test('is ready, and runs each schedule once at first', async () => {
    const { internalPort } = await world.start()
    expect((await fetch(`http://127.0.0.1:${internalPort}/readyz`)).status).toBe(200)
    await vi.waitFor(async () => {
      const { rows } = await world.db.pool.query<{ name: string }>(
        'select name from job_schedule order by name',
      )
      expect(rows.map(({ name }) => name)).toEqual([
        'account-deletions',
        'account-export-gc-expired',
        'account-export-gc-orphans',
        'blob-gc',
        'blob-gc-orphans',
        'clean-up',
        'compaction-scan',
        'crawl-requests',
      ])
    }, patience)
    await idle()
    expect(await listJobs(world.db.pool)).toEqual([])
  })
})

// SPEC SYN-16
describe('crawl requests', () => {
  const seq = (at: number): number => at * 1_000

  /** Lets the named schedule be due, has the hosts looked at, and waits until what comes of it is done. */
  async function look(...due: string[]): Promise<void> {
    await world.db.pool.query(
      `update job_schedule set last_run_at = now() - interval '1 hour' where name = any($1)`,
      [['crawl-requests', ...due]],
    )
    await vi.waitFor(async () => {
      const { rows } = await world.db.pool.query(
        `select from job_schedule where name = 'crawl-requests' and last_run_at > now() - interval '1 minute'`,
      )
      expect(rows).toHaveLength(1)
    }, patience)
    await idle()
  }

  async function addEvent(hostId: number): Promise<void> {
    await world.db.pool.query('create table if not exists event_log_all partition of event_log default')
    await world.db.pool.query(
      `insert into event_log (host_id, seq, account_id, kind, frame) values ($1, $2, 1, 'account', '')`,
      [hostId, seq(Date.now())],
    )
  }

  test('go out when the worker starts, and after new events at most every 20 minutes', async () => {
    const host = await createHost(world.db.database.kysely, { hostname: 'localhost:2583', tenant: 'acme' })
    await world.start()
    await vi.waitFor(() => expect(world.crawls).toHaveLength(1), patience)
    expect(world.crawls).toEqual([
      { path: '/xrpc/com.atproto.sync.requestCrawl', hostname: 'localhost:2583' },
    ])
    await addEvent(host.id)
    await look()
    expect(world.crawls).toHaveLength(1)
    await look(`crawl-host-${host.id}`)
    expect(world.crawls).toHaveLength(2)
  })

  test('go out for a worker that started meanwhile when the 20 minutes are over, without any event', async () => {
    const host = await createHost(world.db.database.kysely, { hostname: 'localhost:2583', tenant: 'acme' })
    const first = await world.start()
    await vi.waitFor(() => expect(world.crawls).toHaveLength(1), patience)
    await first[Symbol.asyncDispose]()
    await world.start()
    await look()
    expect(world.crawls).toHaveLength(1)
    await look(`crawl-host-${host.id}`)
    expect(world.crawls).toHaveLength(2)
  })

  test('go out for each host when the cluster starts, and not again because another worker starts', async () => {
    const { kysely } = world.db.database
    const hostnames = ['localhost:2583', 'localhost:2584']
    for (const hostname of hostnames) await createHost(kysely, { hostname, tenant: 'acme' })
    await world.start()
    await vi.waitFor(() => expect(world.crawls).toHaveLength(2), patience)
    expect(world.crawls.map(({ hostname }) => hostname).sort()).toEqual(hostnames)
    await world.db.pool.query(`delete from job_schedule where name = 'crawl-requests'`)
    await world.start()
    await vi.waitFor(async () => {
      const { rows } = await world.db.pool.query(`select from job_schedule where name = 'crawl-requests'`)
      expect(rows).toHaveLength(1)
    }, patience)
    await idle()
    expect(world.crawls).toHaveLength(2)
  })

  test('are not sent for a suspended host', async () => {
    const { kysely } = world.db.database
    const host = await createHost(kysely, { hostname: 'localhost:2583', tenant: 'acme' })
    await updateHost(kysely, 'localhost:2583', { status: 'suspended' })
    await addJob(kysely, {
      queue: 'crawl-request',
      payload: { hostId: host.id, relay: world.relay.url },
    })
    await world.start()
    await idle()
    expect(world.crawls).toEqual([])
  })

  test('that the relay refuses are given up at once, others are tried again', async () => {
    const { kysely } = world.db.database
    await createHost(kysely, { hostname: 'localhost:2583', tenant: 'acme' })
    world.relay.status = 400
    await world.start()
    await vi.waitFor(async () => {
      expect(await listJobs(world.db.pool, { state: 'dead' })).toMatchObject([
        { queue: 'crawl-request', attempts: 1, error_code: 'RelayRefused' },
      ])
    }, patience)
    world.relay.status = 503
    await world.db.pool.query(`update job_outbox set state = 'open', attempts = 0, relayed_at = null`)
    await vi.waitFor(async () => {
      expect(await listJobs(world.db.pool, { state: 'open' })).toMatchObject([
        { attempts: 1, error: expect.stringContaining('503') },
      ])
    }, patience)
  })
})
