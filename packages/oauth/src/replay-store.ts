import { hash } from 'node:crypto'

import type { ReplayStore } from '@atproto/oauth-provider/store'
import type { Redis, RedisKeys } from '@rookery/redis'
import type { Logger } from '@rookery/telemetry'
import { LRUCache } from 'lru-cache'

import { localNoncesMax, nonceKeepMs } from './limits.ts'

/**
 * Key of a nonce to the time until which it counts; the one seen longest ago is dropped first. Of the whole process: it
 * is bounded however many hosts there are, and outlives a provider that is made anew.
 */
const localNonces = new LRUCache<string, number>({ max: localNoncesMax })

/**
 * Nonces of a host that were seen, in Redis for all processes. While Redis is away a process knows only those that it
 * saw itself, in bounded memory: a replay would have to reach another pod within the proof's seconds.
 */
export class RedisReplayStore implements ReplayStore {
  readonly #deps: { redis: Pick<Redis, 'set'>; keys: RedisKeys; log: Logger }
  readonly #hostId: number

  constructor(deps: { redis: Pick<Redis, 'set'>; keys: RedisKeys; log: Logger }, hostId: number) {
    this.#deps = deps
    this.#hostId = hostId
  }

  async unique(namespace: string, nonce: string, timeFrameMs: number): Promise<boolean> {
    const { redis, keys, log } = this.#deps
    const keepMs = Math.min(Math.max(1, Math.ceil(timeFrameMs)), nonceKeepMs)
    // Clients choose how long theirs are, and until when.
    const digest = hash('sha256', JSON.stringify([namespace, nonce]), 'base64url')
    const key = keys.oauthNonce(this.#hostId, digest)
    const isFirstHere = remember(key, keepMs)
    try {
      return (await redis.set(key, '1', 'PX', keepMs, 'NX')) === 'OK'
    } catch (error) {
      log.warn({ err: error }, 'nonces are compared within one process: redis is away')
      return isFirstHere
    }
  }
}

function remember(key: string, keepMs: number): boolean {
  const now = Date.now()
  const until = localNonces.get(key)
  localNonces.set(key, now + keepMs)
  return until === undefined || until <= now
}
