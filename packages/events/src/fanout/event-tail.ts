/**
 * Follows the sequenced events and feeds a ring with them, in seq order, without gaps.
 *
 * The Redis stream is the fast way: its entries say which seq precedes them, so a hole (trimmed, flushed, lost) is
 * seen and read from the log before the entry goes in. While Redis is away, and whenever it was silent for
 * `streamBlockMs`, the log is asked instead: what the stream lost is late, never lost. The log is read in pages;
 * nothing is ever seen there that was not committed, nor a lower seq after a higher one (single leader).
 */
import { once } from 'node:events'

import type { Queryable } from '@rookery/db'
import type { Redis, RedisKeys } from '@rookery/redis'
import { Loop } from '@rookery/std'
import { type Logger, metrics } from '@rookery/telemetry'

import { withDeadline } from '../deadline.ts'
import type { NumberedMessage } from '../event-batch.ts'
import {
  logPageBytesMax,
  logPageRowsMax,
  logPollMs,
  streamAnswerMsMax,
  streamBlockMs,
  streamReadMax,
} from '../limits.ts'
import { EventRing } from './event-ring.ts'
import { listEvents, readHeadSeq } from './log-queries.ts'
import { parseStreamReply, type StreamEntry } from './stream-entry.ts'

/** What a tail works with; the caller owns and disposes all of it. */
export type EventTailDeps = { log: Logger; pool: Queryable; redis: Redis; keys: RedisKeys }

export type EventTailOptions = {
  /** Most bytes of the ring. */
  ringBytesMax: number
  /** Called after new events went into the ring, with their hosts. */
  onEvents: (hostIds: ReadonlySet<number>) => void
}

/** Keeps a ring up to date until disposed; see the module's header. */
export class EventTail implements AsyncDisposable {
  readonly ring: EventRing
  readonly #deps: EventTailDeps
  readonly #options: EventTailOptions
  readonly #reader: Redis
  readonly #loop: Loop
  #isRedisDown = false
  readonly #metrics = new DisposableStack()

  private constructor(ring: EventRing, deps: EventTailDeps, options: EventTailOptions) {
    this.ring = ring
    this.#deps = deps
    this.#metrics.use(
      metrics.read('rookery_event_position_seconds', () => [[{ at: 'ring' }, ring.headSeq / 1e6]]),
    )
    this.#metrics.use(metrics.read('rookery_firehose_ring_bytes', () => ring.bytes))
    this.#metrics.use(
      metrics.read('rookery_firehose_ring_seconds', () => (ring.headSeq - ring.floorSeq) / 1e6),
    )
    this.#options = options
    // XREAD blocks its connection, so it has one of its own; it fails at once when Redis is away.
    this.#reader = deps.redis.duplicate({ enableOfflineQueue: false, maxRetriesPerRequest: 0 })
    this.#reader.on('error', () => undefined)
    this.#loop = new Loop({
      step: (signal) => this.#step(signal),
      onError: (error, backoffMs) => deps.log.warn({ err: error, backoffMs }, 'could not follow events'),
      backoffMsMax: 1_000,
    })
  }

  /**
   * Starts at the newest event: older ones are for the log.
   *
   * @throws {Error} if Postgres does not answer.
   */
  static async start(deps: EventTailDeps, options: EventTailOptions): Promise<EventTail> {
    const ring = new EventRing(await readHeadSeq(deps.pool), options.ringBytesMax)
    return new EventTail(ring, deps, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#metrics.dispose()
    this.#reader.disconnect()
    await this.#loop[Symbol.asyncDispose]()
  }

  async #step(signal: AbortSignal): Promise<number> {
    let entries: StreamEntry[]
    try {
      entries = await this.#readStream(signal)
      if (this.#isRedisDown) this.#deps.log.info('following the event stream again')
      this.#isRedisDown = false
    } catch (error) {
      if (signal.aborted) throw error
      if (!this.#isRedisDown) this.#deps.log.warn({ err: error }, 'the event stream is away: reading the log')
      this.#isRedisDown = true
      await this.#followLog()
      return logPollMs
    }
    if (entries.length === 0) await this.#followLog()
    for (const { prevSeq, events } of entries) {
      if (prevSeq > this.ring.headSeq) await this.#followLog()
      this.#append(events)
    }
    return 0
  }

  /** Adds to the ring what it does not have yet. */
  #append(events: readonly NumberedMessage[]): void {
    const hostIds = new Set<number>()
    for (const event of events) {
      if (event.seq <= this.ring.headSeq) continue
      this.ring.append(event)
      hostIds.add(event.hostId)
    }
    if (hostIds.size > 0) this.#options.onEvents(hostIds)
  }

  async #readStream(signal: AbortSignal): Promise<StreamEntry[]> {
    const { keys } = this.#deps
    if (this.#reader.status === 'connecting' && !this.#isRedisDown) {
      await withDeadline(once(this.#reader, 'ready', { signal }), streamAnswerMsMax, 'connecting to Redis')
    }
    const read = this.#reader.xreadBuffer(
      'COUNT',
      streamReadMax,
      'BLOCK',
      streamBlockMs,
      'STREAMS',
      keys.eventStream,
      `${this.ring.headSeq}-0`,
    )
    try {
      return parseStreamReply(
        await withDeadline(read, streamBlockMs + streamAnswerMsMax, 'reading the event stream'),
      )
    } catch (error) {
      // A connection that hangs is replaced; one that is down already is reconnecting.
      if (this.#reader.status === 'ready') this.#reader.disconnect(true)
      throw error
    }
  }

  /** Reads the log up to its end. */
  async #followLog(): Promise<void> {
    const { pool } = this.#deps
    if ((await readHeadSeq(pool)) <= this.ring.headSeq) return
    for (;;) {
      const page = await listEvents(pool, {
        afterSeq: this.ring.headSeq,
        rowsMax: logPageRowsMax,
        bytesMax: logPageBytesMax,
      })
      if (page.length === 0) return
      this.#append(page)
    }
  }
}
