import type { Redis } from '@rookery/redis'
import { cacheTally } from '@rookery/telemetry'
import { LRUCache } from 'lru-cache'

import { localCacheEntriesMax, localCacheMs } from '../limits.ts'

const tally = cacheTally('identities')

type Entry = { text: string; fetchedAtMs: number }
type LocalEntry = Entry & { readAtMs: number }

/** A cached text and whether it should be looked up anew in the background. */
export type CacheHit = { text: string; isStale: boolean }

/**
 * Texts under Redis keys, shared by all processes, with a small copy in this one. Redis being away costs time, never
 * an answer: reads miss, writes are dropped.
 */
export class IdentityCache {
  readonly #redis: Pick<Redis, 'get' | 'set' | 'del'>
  readonly #staleMs: number
  readonly #maxMs: number
  readonly #local = new LRUCache<string, LocalEntry>({ max: localCacheEntriesMax })

  /**
   * @param options.staleMs age from which a hit is stale.
   * @param options.maxMs age from which there is no hit.
   */
  constructor(redis: Pick<Redis, 'get' | 'set' | 'del'>, options: { staleMs: number; maxMs: number }) {
    this.#redis = redis
    this.#staleMs = options.staleMs
    this.#maxMs = options.maxMs
  }

  /** Returns the text under the key, or undefined. */
  async get(key: string): Promise<CacheHit | undefined> {
    const now = Date.now()
    const local = this.#local.get(key)
    const isFresh = local !== undefined && now - local.readAtMs < localCacheMs
    const entry = isFresh ? local : await this.#read(key, now)
    if (entry === undefined || now - entry.fetchedAtMs >= this.#maxMs) {
      tally.misses++
      return undefined
    }
    tally.hits++
    return { text: entry.text, isStale: now - entry.fetchedAtMs >= this.#staleMs }
  }

  /** Stores the text under the key, as of now. */
  async set(key: string, text: string): Promise<void> {
    const entry = { text, fetchedAtMs: Date.now() }
    this.#local.set(key, { ...entry, readAtMs: entry.fetchedAtMs })
    if (this.#maxMs === 0) return
    await this.#redis.set(key, JSON.stringify(entry), 'PX', this.#maxMs).catch(() => undefined)
  }

  /** Forgets the key; other processes may answer from their copy for `localCacheMs` more. */
  async delete(key: string): Promise<void> {
    this.#local.delete(key)
    await this.#redis.del(key).catch(() => undefined)
  }

  async #read(key: string, now: number): Promise<Entry | undefined> {
    const json = await this.#redis.get(key).catch(() => null)
    const entry = json === null ? undefined : parseEntry(json)
    if (entry === undefined) this.#local.delete(key)
    else this.#local.set(key, { ...entry, readAtMs: now })
    return entry
  }
}

function parseEntry(json: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value !== 'object' || value === null) return undefined
    const { text, fetchedAtMs } = value as Record<string, unknown>
    return typeof text === 'string' && typeof fetchedAtMs === 'number' ? { text, fetchedAtMs } : undefined
  } catch {
    return undefined
  }
}
