/**
 * Serves a pod's subscribers from the ring and the log.
 *
 * A subscriber is a position: the seq of the last event that was written to it. States:
 *
 * - live: the ring covers its position. New events are written in rounds, joined, unless the connection is
 *   behind by more than `pendingBytesMax`; then it goes on when everything has left.
 * - backfilling: the ring has let go of events that it needs. It takes turns with all others (round-robin, one
 *   page of the log a turn) until the ring covers its position, and no turn while its connection is behind.
 * - closed.
 *
 * A write costs the same whether it carries one event or ten, so after a round events gather for `gatherMsPerWrite`
 * for each of its writes. One subscriber waits for nothing; with hundreds of them rounds take some percent of the
 * process instead of all of it.
 *
 * Because only the position decides what comes next, there is no cut-over to get wrong: no gap, no duplicate.
 * Reading the log never skips: an event is in the log before it is in any ring, and never appears below another.
 */
import { DomainError, Loop } from '@rookery/std'
import { type Logger, metrics } from '@rookery/telemetry'

import { encodeErrorFrame, encodeInfoFrame } from '../frames/event-frames.ts'
import { websocketFrame } from '../frames/websocket-frame.ts'
import {
  backfillTurnsMax,
  chunkBytesMax,
  clockSkewMsMax,
  consumerStallMsMax,
  gatherMsMax,
  gatherMsPerWrite,
  pendingBytesMax,
  sweepMs,
} from '../limits.ts'
import type { EventRing } from './event-ring.ts'
import { LogPages } from './log-pages.ts'
import { hasEventsBetween, type LogPool, readDroppedSeq, readHeadSeq } from './log-queries.ts'
import type { Sink } from './sink.ts'

/** Is thrown to a subscriber whose cursor no event can have had. */
export class FutureCursorError extends DomainError {
  override readonly name = 'FutureCursorError'
  readonly code = 'FutureCursor'
}

/** WebSocket close codes (RFC 6455). */
const closeCodes = { goingAway: 1001, policyViolation: 1008, internalError: 1011 } as const

export type FanoutDeps = { log: Logger; pool: LogPool; ring: EventRing }

export type FanoutOptions = {
  /** How far back cursors reach, in milliseconds. */
  retentionMs: number
  /** How long a connection may take nothing, in milliseconds. Default `consumerStallMsMax`. */
  stallMsMax?: number
  /** Microseconds since the Unix epoch. Default the system's clock. */
  nowMicros?: () => number
}

/** What the owner of a sink tells its fan-out. */
export type Subscription = {
  /** Goes on after the connection has taken everything. */
  resume(): void
  /** Forgets the subscriber, whose connection is closing; idempotent. */
  end(): void
}

type Subscriber = {
  readonly hostId: number
  readonly sink: Sink
  position: number
  state: 'live' | 'backfilling' | 'closed'
  /** A page of the log is on its way: what is written next depends on it. */
  isReading: boolean
  /** Written in all, and how much of it had left the process when it last moved. */
  writtenBytes: number
  leftBytes: number
  movedAtMs: number
}

/** Writes events to subscribers; see the module's header. */
export class Fanout implements AsyncDisposable {
  readonly #deps: FanoutDeps
  readonly #options: FanoutOptions
  readonly #nowMicros: () => number
  readonly #pages: LogPages
  readonly #subscribers = new Map<number, Set<Subscriber>>()
  /** Backfilling subscribers whose turn will come, in this round and in the next. */
  #turns = new Set<Subscriber>()
  #nextTurns = new Set<Subscriber>()
  #turnsTaken = 0
  /** Hosts with events that no round has written yet. */
  readonly #gathering = new Set<number>()
  #roundTimer: NodeJS.Timeout | undefined
  #roundDueMs = 0
  #roundBytesSeen = 0
  readonly #sweeper: Loop
  readonly #metrics = new DisposableStack()
  #sentBytes = 0

  constructor(deps: FanoutDeps, options: FanoutOptions) {
    this.#deps = deps
    this.#options = options
    this.#pages = new LogPages(deps.pool)
    this.#nowMicros = options.nowMicros ?? (() => Date.now() * 1_000)
    this.#metrics.use(metrics.read('rookery_firehose_sent_bytes_total', () => this.#sentBytes))
    this.#metrics.use(metrics.read('rookery_firehose_subscribers', () => countByLag(this.#lags())))
    this.#metrics.use(metrics.read('rookery_firehose_lag_seconds_max', () => Math.max(0, ...this.#lags())))
    metrics.add('rookery_firehose_closed_total', { reason: 'ConsumerTooSlow' }, 0)
    this.#sweeper = new Loop({
      step: async () => {
        this.#sweep()
        return sweepMs
      },
      onError: (error) => deps.log.error({ err: error }, 'could not look for stalled subscribers'),
    })
  }

  /** Number of subscribers. */
  get size(): number {
    let size = 0
    for (const group of this.#subscribers.values()) size += group.size
    return size
  }

  /**
   * Starts to write a host's events after a cursor, or only new ones without one. Writes #info OutdatedCursor
   * first if retention has taken events after the cursor.
   *
   * @throws {FutureCursorError} if the cursor is above everything assigned and above the clock.
   * @throws {Error} if Postgres is needed and does not answer.
   */
  async subscribe(hostId: number, cursor: number | undefined, sink: Sink): Promise<Subscription> {
    const start =
      cursor === undefined
        ? { position: this.#deps.ring.headSeq, info: undefined }
        : await this.#startAt(hostId, cursor)
    const subscriber: Subscriber = {
      hostId,
      sink,
      position: start.position,
      state: 'live',
      isReading: false,
      writtenBytes: 0,
      leftBytes: 0,
      movedAtMs: performance.now(),
    }
    if (start.info) this.#write(subscriber, start.info)
    const group = this.#subscribers.get(hostId) ?? new Set()
    this.#subscribers.set(hostId, group.add(subscriber))
    this.#pump(subscriber)
    return { resume: () => this.#pump(subscriber), end: () => this.#forget(subscriber) }
  }

  /** Writes what is new in the ring, now or with what follows; `EventTail` calls it. */
  onEvents(hostIds: ReadonlySet<number>): void {
    for (const hostId of hostIds) if (this.#subscribers.has(hostId)) this.#gathering.add(hostId)
    if (this.#gathering.size === 0) return
    const waitMs = this.#roundDueMs - performance.now()
    const isMuch = this.#deps.ring.bytesSeen - this.#roundBytesSeen >= chunkBytesMax
    if (waitMs <= 0 || isMuch) this.#writeRound()
    else this.#roundTimer ??= setTimeout(() => this.#writeRound(), waitMs)
  }

  #writeRound(): void {
    clearTimeout(this.#roundTimer)
    this.#roundTimer = undefined
    let writes = 0
    for (const hostId of this.#gathering) {
      for (const subscriber of this.#subscribers.get(hostId) ?? []) {
        if (subscriber.state !== 'live') continue
        this.#pump(subscriber)
        writes++
      }
    }
    this.#gathering.clear()
    this.#roundBytesSeen = this.#deps.ring.bytesSeen
    this.#roundDueMs = performance.now() + Math.min(gatherMsMax, writes * gatherMsPerWrite)
  }

  /** Closes every connection, evenly over the time, so that clients do not all return at once. */
  async drain(overMs: number): Promise<void> {
    const all = [...this.#subscribers.values()].flatMap((group) => [...group])
    const pauseMs = overMs / Math.max(1, all.length)
    for (const [index, subscriber] of all.entries()) {
      metrics.add('rookery_firehose_closed_total', { reason: 'restart' })
      this.#close(subscriber, closeCodes.goingAway, 'the server is restarting')
      if (index < all.length - 1) await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#metrics.dispose()
    clearTimeout(this.#roundTimer)
    await this.#sweeper[Symbol.asyncDispose]()
  }

  async #startAt(hostId: number, cursor: number): Promise<{ position: number; info: Buffer | undefined }> {
    const { pool, ring } = this.#deps
    const nowMicros = this.#nowMicros()
    if (cursor > ring.headSeq) {
      // This pod may lag behind, and after a restore the log is behind the clock: neither may send anybody away.
      const latest = Math.max(nowMicros + 1_000 * clockSkewMsMax, await readHeadSeq(pool))
      if (cursor > latest) throw new FutureCursorError('Cursor in the future.')
      return { position: cursor, info: undefined }
    }
    const windowSeq = windowStart(nowMicros, this.#options.retentionMs)
    if (cursor >= windowSeq) return { position: cursor, info: undefined }
    const range = { afterSeq: cursor, throughSeq: windowSeq }
    const isOutdated =
      (await readDroppedSeq(pool, hostId)) > cursor || (await hasEventsBetween(pool, hostId, range))
    const position = Math.max(cursor, windowSeq)
    return { position, info: isOutdated ? websocketFrame(outdatedCursor) : undefined }
  }

  /** Writes as much as the connection takes: from the ring, or by asking for a turn at the log. */
  #pump(subscriber: Subscriber): void {
    const { ring } = this.#deps
    const { hostId, sink } = subscriber
    if (subscriber.state === 'closed' || subscriber.isReading) return
    while (sink.pendingBytes <= pendingBytesMax) {
      if (!ring.covers(hostId, subscriber.position)) {
        subscriber.state = 'backfilling'
        if (!this.#turns.has(subscriber)) this.#nextTurns.add(subscriber)
        this.#startTurns()
        return
      }
      subscriber.state = 'live'
      const chunk = ring.chunkAfter(hostId, subscriber.position, chunkBytesMax)
      if (!chunk) return
      this.#write(subscriber, chunk.bytes)
      subscriber.position = chunk.throughSeq
    }
  }

  /** Goes on with the turns of this round, or begins the next when all have ended: nobody is ever lapped. */
  #startTurns(): void {
    if (this.#turns.size === 0 && this.#turnsTaken === 0) {
      this.#turns = this.#nextTurns
      this.#nextTurns = new Set()
    }
    for (const subscriber of this.#turns) {
      if (this.#turnsTaken >= backfillTurnsMax) return
      this.#turns.delete(subscriber)
      this.#turnsTaken++
      void this.#takeTurn(subscriber)
    }
  }

  async #takeTurn(subscriber: Subscriber): Promise<void> {
    subscriber.isReading = true
    try {
      if (subscriber.state === 'backfilling') await this.#writePage(subscriber)
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'could not read the log for a subscriber')
      metrics.add('rookery_firehose_closed_total', { reason: 'log' })
      this.#close(subscriber, closeCodes.internalError, 'the event log is not available')
    }
    subscriber.isReading = false
    this.#turnsTaken--
    this.#pump(subscriber)
    this.#startTurns()
  }

  async #writePage(subscriber: Subscriber): Promise<void> {
    const { pool, ring } = this.#deps
    const { hostId, position } = subscriber
    // The log has at least what the ring has.
    const page = await this.#pages.after(hostId, position, ring.headSeq)
    // Asked after the page was read, so that no drop can come between.
    if ((await readDroppedSeq(pool, hostId)) > position) {
      this.#refuse(subscriber, 'ConsumerTooSlow', 'Stream consumer too slow: its next event has expired')
      return
    }
    if (subscriber.state !== 'backfilling') return
    if (page.bytes.length > 0) this.#write(subscriber, page.bytes)
    subscriber.position = page.throughSeq
  }

  #write(subscriber: Subscriber, bytes: Buffer): void {
    if (subscriber.sink.pendingBytes === 0) subscriber.movedAtMs = performance.now()
    subscriber.writtenBytes += bytes.length
    this.#sentBytes += bytes.length
    subscriber.sink.write(bytes)
  }

  /** How far each subscriber is behind, in seconds. */
  *#lags(): Generator<number> {
    for (const [hostId, group] of this.#subscribers) {
      for (const { position } of group) yield this.#deps.ring.lagMicros(hostId, position) / 1e6
    }
  }

  /** Closes every connection that has taken nothing for too long. */
  #sweep(): void {
    const nowMs = performance.now()
    const stallMsMax = this.#options.stallMsMax ?? consumerStallMsMax
    for (const group of this.#subscribers.values()) {
      for (const subscriber of group) {
        const leftBytes = subscriber.writtenBytes - subscriber.sink.pendingBytes
        if (leftBytes !== subscriber.leftBytes || subscriber.sink.pendingBytes === 0) {
          subscriber.leftBytes = leftBytes
          subscriber.movedAtMs = nowMs
        } else if (nowMs - subscriber.movedAtMs > stallMsMax) {
          this.#refuse(subscriber, 'ConsumerTooSlow', 'Stream consumer too slow')
        }
      }
    }
  }

  #refuse(subscriber: Subscriber, error: string, message: string): void {
    this.#deps.log.info(
      { hostId: subscriber.hostId, position: subscriber.position, error },
      'closing a subscriber',
    )
    metrics.add('rookery_firehose_closed_total', { reason: error })
    this.#write(subscriber, websocketFrame(encodeErrorFrame({ error, message })))
    this.#close(subscriber, closeCodes.policyViolation, error)
  }

  #forget(subscriber: Subscriber): void {
    subscriber.state = 'closed'
    const group = this.#subscribers.get(subscriber.hostId)
    group?.delete(subscriber)
    if (group?.size === 0) this.#subscribers.delete(subscriber.hostId)
  }

  #close(subscriber: Subscriber, code: number, reason: string): void {
    if (subscriber.state === 'closed') return
    this.#forget(subscriber)
    subscriber.sink.close(code, reason)
  }
}

/** Upper bounds of how far subscribers are behind, in seconds. */
const lagBounds = [1, 10, 60, 600, Infinity]

function countByLag(lags: Iterable<number>): [{ behind: string }, number][] {
  const counts = lagBounds.map(() => 0)
  for (const lag of lags) {
    const index = lagBounds.findIndex((bound) => lag <= bound)
    counts[index] = (counts[index] ?? 0) + 1
  }
  return lagBounds.map((bound, index) => [
    { behind: bound === Infinity ? 'inf' : String(bound) },
    counts[index] ?? 0,
  ])
}

/**
 * Returns the seq before the oldest event that retention keeps, to a thousandth of its time: those who come from
 * before it begin at the same position and so share pages.
 */
function windowStart(nowMicros: number, retentionMs: number): number {
  const seq = nowMicros - 1_000 * retentionMs
  return seq - (seq % retentionMs)
}

const outdatedCursor = encodeInfoFrame({
  name: 'OutdatedCursor',
  message: 'Requested cursor exceeded limit. Possibly missing events',
})
