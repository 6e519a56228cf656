/**
 * The sequencer: one process leads, others stand by.
 *
 * Standby: asks for the leader's lock several times in a lease. Leader: takes a term, publishes what the leader
 * before numbered but may not have published, then again and again numbers committed events (one transaction) and
 * publishes them (one stream entry). A wake-up from Redis starts a round, polling starts one anyway. At rest that
 * is at once. A round that found events is followed by another, but not before `roundMs`, `busyRoundMs` once
 * events keep coming, `largeRoundMs` after many of them: most of a round's cost is the round, so under load they
 * gather meanwhile. After a round that had to leave events behind the next begins at once.
 *
 * Ordering: numbering happens on the connection that holds the lock, in sequence, under the row lock and term of
 * event_sequencer. A round publishes before the next one numbers. Redis may be down or flushed: numbering goes on,
 * readers take from the log what the stream does not have.
 *
 * Any failure of a statement ends the session: the process becomes a standby that connects anew. A clock that is
 * behind the last seq by more than `clockSkewMsMax` ends it too, so that a process with a good clock can lead.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import type { Database } from '@rookery/db'
import type { Redis, RedisKeys } from '@rookery/redis'
import { DomainError, Loop } from '@rookery/std'
import { type Logger, countDatabaseError, metrics } from '@rookery/telemetry'

import { type EventBatch, countEvents } from '../event-batch.ts'
import {
  clockSkewMsMax,
  leaderAnswerMsMax,
  partitionCheckMs,
  publishRetryMs,
  queueFloorMs,
  republishRowsMax,
  sequenceBytesMax,
  sequencePollMs,
  sequencePollMsMin,
  sequenceRowsMax,
} from '../limits.ts'
import { LeaderSession, LeadershipLostError } from './leader-session.ts'
import { maintainPartitions } from './maintain-partitions.ts'
import { EventPublisher } from './publisher.ts'
import { QueueFloor } from './queue-floor.ts'
import { QueueVacuum } from './queue-vacuum.ts'
import { pauseAfter } from './round-pause.ts'
import { listUnpublished, notePublished, numberEvents } from './sequencer-queries.ts'

/** Is thrown by a leader whose clock is too far behind the last seq to go on from it. */
export class ClockBehindError extends DomainError {
  override readonly name = 'ClockBehindError'
  readonly code = 'ClockBehind'
}

/** What a sequencer works with; the caller owns and disposes all of it. */
export type SequencerDeps = { log: Logger; database: Database; redis: Redis; keys: RedisKeys }

export type SequencerOptions = {
  /** Longest pause of the firehose when the leader dies or hangs, in milliseconds. */
  leaseMs: number
  /** How long the log keeps events, in milliseconds. */
  retentionMs: number
  /** How long it waits for a wake-up before it looks at the queue, in milliseconds. Default 500. */
  pollMs?: number
  /** Microseconds since the Unix epoch. Default the system's clock. */
  nowMicros?: () => number
}

type Leadership = {
  session: LeaderSession
  term: number
  assignedSeq: number
  publisher: EventPublisher
  partitionsDueMs: number
  floor: QueueFloor
  floorDueMs: number
  /** When the next round may begin. */
  roundDueMs: number
  /** Whether the last round found nothing. */
  isResting: boolean
  /** What the database was told is published. */
  notedSeq: number
}

/** Runs one sequencer until disposed; see the module's header. */
export class Sequencer implements AsyncDisposable {
  readonly #deps: SequencerDeps
  readonly #options: SequencerOptions
  readonly #nowMicros: () => number
  readonly #loop: Loop
  readonly #wakeUps: Redis
  readonly #vacuum: QueueVacuum
  #session: LeaderSession | undefined
  #leadership: Leadership | undefined
  #publishAgainAtMs = 0
  readonly #metrics = new DisposableStack()

  constructor(deps: SequencerDeps, options: SequencerOptions) {
    this.#deps = deps
    this.#options = options
    this.#nowMicros = options.nowMicros ?? (() => Date.now() * 1_000)
    this.#loop = new Loop({
      step: () => this.#step(),
      onError: (error, backoffMs) => this.#failed(error, backoffMs),
      backoffMsMin: 50,
      backoffMsMax: 1_000,
    })
    this.#wakeUps = this.#connect()
    this.#vacuum = new QueueVacuum(deps.log, deps.database)
    this.#metrics.use(metrics.read('rookery_sequencer_leads', () => (this.isLeader ? 1 : 0)))
    this.#metrics.use(metrics.read('rookery_event_position_seconds', () => this.#positions()))
  }

  /** Tells whether this process leads, as far as it knows. */
  get isLeader(): boolean {
    return this.#leadership !== undefined && !this.#leadership.session.lost.aborted
  }

  /** Id in the event queue up to which it is empty; undefined while another process leads. */
  get queueFloorId(): number | undefined {
    return this.isLeader ? this.#leadership?.floor.afterId : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#metrics.dispose()
    this.#wakeUps.disconnect()
    await this.#loop[Symbol.asyncDispose]()
    await this.#resign('stopping')
    await this.#vacuum[Symbol.asyncDispose]()
  }

  #failed(error: unknown, backoffMs: number): void {
    metrics.add('rookery_sequencer_failures_total', {})
    const isOurs = error instanceof ClockBehindError || error instanceof LeadershipLostError
    countDatabaseError(error, !isOurs)
    this.#deps.log.error({ err: error, backoffMs }, 'the sequencer failed')
  }

  #positions(): [{ at: string }, number][] {
    if (this.#leadership === undefined) return []
    const { assignedSeq, publisher } = this.#leadership
    return [
      [{ at: 'numbered' }, assignedSeq / 1e6],
      [{ at: 'published' }, publisher.publishedSeq / 1e6],
    ]
  }

  #connect(): Redis {
    const connection = this.#deps.redis.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null })
    connection.on('error', () => undefined)
    connection.on('message', () => {
      if (this.#leadership) this.#loop.wake()
    })
    return connection
  }

  /** Only the leader listens: messages cost a standby as much. */
  #listenWhile(isLeading: boolean): void {
    const { keys, log } = this.#deps
    const done = isLeading
      ? this.#wakeUps.subscribe(keys.eventWake)
      : this.#wakeUps.unsubscribe(keys.eventWake)
    done.catch((error: unknown) => log.debug({ err: error }, 'wake-ups'))
  }

  async #step(): Promise<number> {
    try {
      this.#leadership ??= await this.#tryLead()
      if (!this.#leadership) return this.#options.leaseMs / 10
      return await this.#lead(this.#leadership)
    } catch (error) {
      await this.#resign('failed')
      throw error
    }
  }

  async #tryLead(): Promise<Leadership | undefined> {
    const { leaseMs } = this.#options
    const { database, redis, keys, log } = this.#deps
    // The server's patience and a standby's next question together stay below the lease.
    this.#session ??= await LeaderSession.open(database, {
      silenceMsMax: Math.round(leaseMs * 0.8),
      answerMsMax: leaderAnswerMsMax,
    })
    const session = this.#session
    const term = await session.tryLead()
    if (!term) return undefined
    session.lost.addEventListener('abort', () => this.#loop.wake(), { once: true })
    log.info(term, 'leading')
    this.#listenWhile(true)
    return {
      session,
      term: term.term,
      assignedSeq: term.assigned_seq,
      publisher: new EventPublisher(redis, keys, term.published_seq),
      partitionsDueMs: 0,
      floor: new QueueFloor(),
      floorDueMs: 0,
      roundDueMs: 0,
      isResting: false,
      notedSeq: term.published_seq,
    }
  }

  async #lead(leadership: Leadership): Promise<number> {
    const { session, term, publisher } = leadership
    const startMs = await gather(leadership.roundDueMs)
    const nowMicros = this.#checkedClock(leadership)
    await this.#maintain(leadership, nowMicros)
    await this.#publishMissing(leadership)
    const { publishedSeq } = publisher
    const batch = await session.run((client) =>
      numberEvents(client, {
        term,
        afterId: leadership.floor.afterId,
        rowsMax: sequenceRowsMax,
        bytesMax: sequenceBytesMax,
        nowMicros,
        publishedSeq,
      }),
    )
    if (!batch) return this.#rest(leadership)
    leadership.notedSeq = publishedSeq
    leadership.assignedSeq = batch.last_seq
    const found = { events: countEvents(batch.events), bytes: batch.events.length }
    leadership.roundDueMs = startMs + pauseAfter(found, leadership.isResting)
    leadership.isResting = false
    // What could not be published leaves a gap that the next round closes first.
    if (publisher.publishedSeq >= batch.prev_seq) await this.#publish(leadership, batch)
    this.#vacuum.note(found.events)
    metrics.observe('rookery_sequencer_batch_events', {}, found.events)
    metrics.observe('rookery_sequencer_round_seconds', {}, (performance.now() - startMs) / 1_000)
    await this.#raiseFloor(leadership)
    return 0
  }

  /** With the second round that finds nothing: while events come, the rounds that number them note it as well. */
  async #rest(leadership: Leadership): Promise<number> {
    const { session, term, publisher, isResting, notedSeq } = leadership
    const { publishedSeq } = publisher
    if (isResting && publishedSeq > notedSeq) {
      await session.run((client) => notePublished(client, { term, publishedSeq }))
      leadership.notedSeq = publishedSeq
    }
    leadership.isResting = true
    return this.#pollMs
  }

  async #raiseFloor(leadership: Leadership): Promise<void> {
    if (performance.now() < leadership.floorDueMs) return
    await leadership.session.run((client) => leadership.floor.raise(client))
    leadership.floorDueMs = performance.now() + queueFloorMs
  }

  /** Without Redis nobody can wake the leader; with it, a message may be lost. */
  get #pollMs(): number {
    if (this.#options.pollMs !== undefined) return this.#options.pollMs
    if (this.#wakeUps.status !== 'ready') return sequencePollMsMin
    return Math.min(sequencePollMs, this.#options.leaseMs / 5)
  }

  #checkedClock({ assignedSeq }: Leadership): number {
    const nowMicros = this.#nowMicros()
    const behindMs = (assignedSeq - nowMicros) / 1_000
    if (behindMs > clockSkewMsMax) {
      throw new ClockBehindError(
        `the clock is ${Math.round(behindMs)} ms behind the last seq ${assignedSeq} (at most ${clockSkewMsMax} ms is allowed): set the clock, or wait`,
      )
    }
    return nowMicros
  }

  async #maintain(leadership: Leadership, nowMicros: number): Promise<void> {
    if (performance.now() < leadership.partitionsDueMs) return
    const { retentionMs } = this.#options
    await leadership.session.run((client) =>
      maintainPartitions(this.#deps.log, client, { nowMicros, retentionMs }),
    )
    leadership.partitionsDueMs = performance.now() + Math.min(partitionCheckMs, retentionMs / 4)
  }

  /** Publishes what is numbered and not published: after a change of leaders, and when Redis is back. */
  async #publishMissing(leadership: Leadership): Promise<void> {
    const { session, publisher, assignedSeq } = leadership
    if (publisher.publishedSeq >= assignedSeq || performance.now() < this.#publishAgainAtMs) return
    const batch = await session.run((client) =>
      listUnpublished(client, {
        afterSeq: publisher.publishedSeq,
        rowsMax: republishRowsMax,
        bytesMax: sequenceBytesMax,
      }),
    )
    await this.#publish(leadership, batch)
  }

  async #publish({ publisher, assignedSeq }: Leadership, batch: EventBatch | undefined): Promise<void> {
    try {
      await publisher.publish(batch, assignedSeq)
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'could not publish: readers use the log')
      this.#publishAgainAtMs = performance.now() + publishRetryMs
    }
  }

  async #resign(reason: string): Promise<void> {
    if (this.#leadership) {
      this.#deps.log.info({ reason, term: this.#leadership.term }, 'not leading any more')
      this.#listenWhile(false)
    }
    const session = this.#session
    this.#leadership = undefined
    this.#session = undefined
    await session?.[Symbol.asyncDispose]()
  }
}

/** Waits until a round may begin and returns the time. */
async function gather(untilMs: number): Promise<number> {
  const waitMs = untilMs - performance.now()
  if (waitMs > 0) await sleep(waitMs)
  return performance.now()
}
