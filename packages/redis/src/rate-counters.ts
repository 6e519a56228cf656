/**
 * Points that keys take, counted for all processes together in Redis.
 *
 * `addExactly` asks Redis each time: for what is rare and guards something. `add` counts here and answers at once: for
 * what every request takes. It tells Redis of a key's first points and then whenever another hundredth of its limit has
 * come together, and learns what others have counted in return. So each process may be behind by a hundredth of the
 * limit and what arrives in one round trip: that is how far a limit can be passed, for each process that the key's
 * requests reach.
 *
 * While Redis does not answer, every process counts for itself. Nothing here fails.
 */
import { type Logger, metrics } from '@rookery/telemetry'
import { LRUCache } from 'lru-cache'
import { RateLimiterRedis } from 'rate-limiter-flexible'

import type { Redis } from './redis-client.ts'

/** Keys that one process counts at a time, each of about 200 bytes; past it, the oldest begins anew. */
const countedKeysMax = 100_000

/** Part of a limit that a process counts before it tells the others. */
const untoldShare = 1 / 100

/** What was taken in the current window of a key, and when that ends, in milliseconds since the Unix epoch. */
export type RateCount = { readonly taken: number; readonly resetAtMs: number }

/** How many points a key may take in a window. */
type Limit = { readonly points: number; readonly windowMs: number }

type Counter = { taken: number; resetAtMs: number; untold: number; tellAt: number; isTelling: boolean }

/** Counters of points by key; see the module's header for what they guarantee. */
export class RateCounters {
  readonly #log: Logger
  readonly #shared: RateLimiterRedis
  /** In the order in which their windows began, however often they are asked for. */
  readonly #counters = new LRUCache<string, Counter>({ max: countedKeysMax })
  #isAway = false

  /** @param redis a connection whose commands fail soon while the server does not answer; the caller closes it. */
  constructor(log: Logger, redis: Redis) {
    this.#log = log
    metrics.read('rookery_rate_limits_unshared', () => (this.#isAway ? 1 : 0))
    // Only its counting is used: who may take how much changes while the process runs.
    this.#shared = new RateLimiterRedis({ storeClient: redis, keyPrefix: '', points: 0, duration: 1 })
  }

  /** Takes points at once. Points beyond the limit are not counted, so a key may try on at no cost to Redis. */
  add(key: string, points: number, limit: Limit): RateCount {
    const counter = this.#addHere(key, points, limit)
    if (counter.untold >= counter.tellAt && !counter.isTelling) void this.#tell(key, counter, limit)
    return counter
  }

  /** Takes points and returns the count of all processes, or this one's own while Redis is away. */
  async addExactly(key: string, points: number, limit: Limit): Promise<RateCount> {
    return (await this.#addShared(key, points, limit)) ?? this.#addHere(key, points, limit)
  }

  /** Gives points back that `addExactly` took. */
  async giveBack(key: string, points: number, limit: Limit): Promise<void> {
    await this.#addShared(key, -points, limit)
  }

  #addHere(key: string, points: number, limit: Limit): Counter {
    const now = Date.now()
    const known = this.#counters.peek(key)
    const counter = known !== undefined && known.resetAtMs > now ? known : this.#begin(key, now, limit)
    if (counter.taken > limit.points) return counter
    counter.taken += points
    counter.untold += points
    return counter
  }

  #begin(key: string, now: number, { windowMs }: Limit): Counter {
    const counter = { taken: 0, resetAtMs: now + windowMs, untold: 0, tellAt: 1, isTelling: false }
    this.#counters.set(key, counter)
    return counter
  }

  async #tell(key: string, counter: Counter, limit: Limit): Promise<void> {
    const told = counter.untold
    counter.untold = 0
    counter.isTelling = true
    const shared = await this.#addShared(key, told, limit)
    counter.isTelling = false
    counter.tellAt = Math.max(1, Math.floor(limit.points * untoldShare))
    if (shared === undefined) {
      counter.untold += told
      counter.tellAt += counter.untold
    } else {
      counter.taken = shared.taken + counter.untold
      counter.resetAtMs = shared.resetAtMs
    }
  }

  async #addShared(key: string, points: number, { windowMs }: Limit): Promise<RateCount | undefined> {
    try {
      const result = await this.#shared.penalty(key, points, { customDuration: windowMs / 1_000 })
      this.#isAway = false
      return { taken: result.consumedPoints, resetAtMs: Date.now() + result.msBeforeNext }
    } catch (error) {
      if (!this.#isAway) this.#log.warn({ err: error }, 'rate limits are counted by each process for itself')
      this.#isAway = true
      return undefined
    }
  }
}
