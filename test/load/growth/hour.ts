import { setTimeout as sleep } from 'node:timers/promises'

import { sessions } from '../cases/bench-case.ts'
import { measureLoad } from '../closed-loop.ts'
import { createRecord } from '../fixtures/records.ts'
import type { Measurement } from '../statistics.ts'
import { type Backlog, backlog, databaseBytes, queuedEvents } from '../systems/database-size.ts'
import type { Rookery } from '../systems/rookery.ts'
import type { GrowthContext } from './growth.ts'

/** Accounts among which the writes go round. */
const accountsCount = 1_000

/** Connections of the load. */
const concurrency = 16

const secondsPerHour = 3_600

/** Parts in which the hour is written, and looked at in between. */
const chunkCount = 12

/** How often the queue of events is looked at, in milliseconds. */
const lookMs = 1_000

/** One part of the hour. */
export type HourChunk = {
  /** Writes until its end. */
  writes: number
  createRecord: Measurement
  /** At its end. */
  backlog: Backlog
  /** Most events that were seen waiting for their number. */
  queuedEventsMax: number
  databaseBytes: number
}

/** Writes as many records as an hour at `perSecond` brings, as fast as they go. */
export async function measureHour(
  context: GrowthContext & { rookery: Rookery },
  perSecond: number,
  onChunk: (chunk: HourChunk) => void,
): Promise<void> {
  const { system, fixtures, rookery, say } = context
  const account = sessions(await fixtures.accounts(accountsCount))
  const next = () => {
    const { item, session } = account()
    return { request: createRecord(item, fixtures.number()), session }
  }
  await measureLoad({ system, concurrency, extent: { warmUpMs: 0, windowMs: 3_000 }, next })
  const operations = Math.ceil((perSecond * secondsPerHour) / chunkCount)
  for (let n = 1; n <= chunkCount; n++) {
    const watch = new QueueWatch(rookery.databaseUrl)
    const created = await measureLoad({ system, concurrency, extent: { operations }, next })
    const queuedEventsMax = await watch.stop()
    onChunk({
      writes: n * operations,
      createRecord: created,
      backlog: await backlog(rookery.databaseUrl),
      queuedEventsMax,
      databaseBytes: await databaseBytes(rookery.databaseUrl),
    })
    say(`${n * operations} records written, ${Math.round(created.opsPerSec)}/s`)
  }
}

/** Looks at the queue of events again and again until stopped. */
class QueueWatch {
  readonly #stopping = new AbortController()
  readonly #watching: Promise<number>

  constructor(databaseUrl: string) {
    this.#watching = this.#watch(databaseUrl)
  }

  /** Returns the most events that were seen. */
  stop(): Promise<number> {
    this.#stopping.abort()
    return this.#watching
  }

  async #watch(databaseUrl: string): Promise<number> {
    const { signal } = this.#stopping
    let most = 0
    while (!signal.aborted) {
      most = Math.max(most, await queuedEvents(databaseUrl))
      await sleep(lookMs, undefined, { signal }).catch(() => undefined)
    }
    return most
  }
}
