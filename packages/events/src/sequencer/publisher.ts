import type { Redis, RedisKeys } from '@rookery/redis'

import { DeadlineError, withDeadline } from '../deadline.ts'
import type { EventBatch } from '../event-batch.ts'
import { publishTimeoutMs, streamBytesMax } from '../limits.ts'

/**
 * Adds batches of numbered events to the Redis stream, each as one entry under the seq of its last event: Redis
 * refuses an id that is not above its last, so a retry or a leader that was replaced can put nothing out of order.
 * Every entry says which seq precedes it, so a reader sees what is missing and takes it from the log; what it has
 * already, of a batch that a new leader cut differently, it leaves.
 */
export class EventPublisher {
  readonly #redis: Redis
  readonly #stream: string
  readonly #recent: { seq: number; bytes: number }[] = []
  #recentBytes = 0
  #keptSeq = 0
  #publishedSeq: number

  /** @param publishedSeq where the leader before got to, at least. */
  constructor(redis: Redis, keys: RedisKeys, publishedSeq: number) {
    this.#redis = redis
    this.#stream = keys.eventStream
    this.#publishedSeq = publishedSeq
  }

  /** Everything up to this seq is in the stream, or was. */
  get publishedSeq(): number {
    return this.#publishedSeq
  }

  /**
   * Adds a batch, if there is one; one that is there already is left alone. Then everything up to `throughSeq`
   * counts as published.
   *
   * @throws {DeadlineError} if Redis does not answer; the connection is then replaced.
   * @throws {Error} if Redis refuses or is away.
   */
  async publish(batch: EventBatch | undefined, throughSeq: number): Promise<void> {
    if (batch) await this.#add(batch)
    this.#publishedSeq = throughSeq
  }

  async #add({ prev_seq, last_seq, events }: EventBatch): Promise<void> {
    const minId = `${this.#oldestSeq({ seq: last_seq, bytes: events.length })}-0`
    const id = `${last_seq}-0`
    const added = this.#redis.xadd(this.#stream, 'MINID', '~', minId, id, 'p', prev_seq, 'e', events)
    try {
      await withDeadline(added, publishTimeoutMs, 'publishing')
    } catch (error) {
      if (error instanceof Error && error.message.includes('equal or smaller')) return
      if (error instanceof DeadlineError) this.#redis.disconnect(true)
      throw error
    }
  }

  /** Returns the oldest seq that the stream keeps with a batch more: 0 unless this leader knows what it holds. */
  #oldestSeq(next: { seq: number; bytes: number }): number {
    this.#recent.push(next)
    this.#recentBytes += next.bytes
    let dropped = 0
    while (this.#recentBytes > streamBytesMax && dropped < this.#recent.length - 1) {
      this.#recentBytes -= this.#recent[dropped]?.bytes ?? 0
      dropped++
    }
    if (dropped === 0) return this.#keptSeq
    this.#recent.splice(0, dropped)
    this.#keptSeq = this.#recent[0]?.seq ?? this.#keptSeq
    return this.#keptSeq
  }
}
