import { setTimeout as sleep } from 'node:timers/promises'

import { Frame } from '@atproto/xrpc-server'
import { inTransaction, type Queryable } from '@rookery/db'
import { createLogger } from '@rookery/telemetry'
import type pg from 'pg'

import { appendEvent } from '../src/append-event.ts'
import { encodeIdentityFrame } from '../src/frames/event-frames.ts'
import { maintainPartitions } from '../src/sequencer/maintain-partitions.ts'

/** Says nothing. */
export const silent = createLogger('test', 'silent')

/** What a fixture's event says: the n-th of its account. */
export type Said = { seq: number; account: number; n: number }

/** Queues the n-th event of an account in the caller's transaction. */
export async function say(tx: Queryable, event: { host: number; account: number; n: number }): Promise<void> {
  const { host, account, n } = event
  const frame = encodeIdentityFrame({
    did: `did:plc:${account}`,
    handle: `n${n}.test`,
    time: '2026-01-01T00:00:00.000Z',
  })
  await appendEvent(tx, { hostId: host, accountId: account, kind: 'identity', frame })
}

/**
 * Commits events of random accounts until aborted: each in a transaction that holds its account's lock and ends
 * after a random delay, some by rolling back. Returns how many events of each account were committed.
 */
export async function writeEvents(
  pool: pg.Pool,
  options: { signal: AbortSignal; writers: number; accounts: number; hosts?: number; wake?: () => void },
): Promise<Map<number, number>> {
  const { signal, writers, accounts, hosts = 2, wake } = options
  const committed = new Map<number, number>()
  const write = async (): Promise<void> => {
    while (!signal.aborted) {
      const account = 1 + Math.floor(Math.random() * accounts)
      await inTransaction(pool, async (tx) => {
        await tx.query('select pg_advisory_xact_lock(77, $1)', [account])
        const n = committed.get(account) ?? 0
        await say(tx, { host: 1 + (account % hosts), account, n })
        if (Math.random() < 0.1) throw new RollBack()
        await tx.query('select pg_sleep($1)', [Math.random() * 0.02])
        // Counted while the account is locked: the next writer of it comes after the commit.
        committed.set(account, n + 1)
      }).catch((error: unknown) => {
        if (!(error instanceof RollBack)) throw error
      })
      wake?.()
    }
  }
  await Promise.all(Array.from({ length: writers }, write))
  return committed
}

class RollBack extends Error {}

/** Reads a frame with the reference's parser. */
export function readSaid(frame: Uint8Array): Said {
  const parsed = Frame.fromBytes(frame)
  const body = parsed.body as { seq: number; did: string; handle: string }
  return { seq: body.seq, account: Number(body.did.slice(8)), n: Number(/\d+/.exec(body.handle)?.[0]) }
}

/** Returns what each account said, in the order given. */
export function byAccount(events: readonly Said[]): Map<number, number[]> {
  const said = new Map<number, number[]>()
  for (const { account, n } of events) said.set(account, [...(said.get(account) ?? []), n])
  return said
}

/** What `byAccount` must be when nothing was lost, repeated or put out of order. */
export function expectedByAccount(committed: ReadonlyMap<number, number>): Map<number, number[]> {
  return new Map(
    [...committed].map(([account, count]) => [account, Array.from({ length: count }, (_, n) => n)]),
  )
}

/** Creates the partitions that a leader would. */
export async function preparePartitions(pool: pg.Pool, nowMicros = Date.now() * 1_000): Promise<void> {
  const client = await pool.connect()
  await maintainPartitions(silent, client, { nowMicros, retentionMs: 3_600_000 })
  client.release()
}

/** Resolves when the check first holds; fails the test if it does not within the time. */
export async function until(
  check: () => Promise<boolean> | boolean,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`)
    await sleep(10)
  }
}

/** Returns the number of committed events that are not numbered yet. */
export async function countQueued(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('select count(*) as count from event_queue')
  return rows[0]?.count ?? 0
}

/** Returns every event of the log, in seq order, checking that frame and row agree on seq. */
export async function readLog(pool: pg.Pool): Promise<Said[]> {
  const { rows } = await pool.query<{ seq: number; frame: Buffer }>(
    'select seq, frame from event_log order by seq',
  )
  return rows.map(({ seq, frame }) => {
    const said = readSaid(frame)
    if (said.seq !== seq) throw new Error(`the frame of ${seq} says ${said.seq}`)
    return said
  })
}
