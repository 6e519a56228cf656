import {
  type RateBucket,
  type RateLimit,
  type RateOverrides,
  rateBuckets,
  rateLimitOf,
} from '@rookery/config'
import { XrpcError } from '@rookery/http'
import type { RateCount, RateCounters, RedisKeys } from '@rookery/redis'
import type { HostDirectory } from '@rookery/tenants'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { type BypassOptions, bypass } from './bypass.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The limit that leaves the request's sender the least, of those that were looked at. */
    rateLimit: RateState | undefined
  }
}

/** Where a key stands with one limit. */
type RateState = { limit: RateLimit; remaining: number; isOver: boolean; resetAtMs: number }

/** Points that a request takes from a bucket. */
export type Charge = {
  bucket: RateBucket
  /** Whose points they are: an address, an account, or both. */
  key: string
  /** Default 1. */
  points?: number
  /** Whether they are given back if the answer is no error, or only kept for a 401: only failures count. */
  isForFailures?: boolean | 'of credentials'
  /** Whether all hosts count together. Default each for itself. */
  isOfCluster?: boolean
}

export type RateLimiterDeps = {
  counters: RateCounters
  keys: RedisKeys
  directory: Pick<HostDirectory, 'rateOverrides'>
  config: BypassOptions & { rateOverrides: RateOverrides }
}

/** Host of requests that belong to none. */
const noHost = 0

/** Takes points for requests and refuses those that have none left. Works for routes of every kind. */
export class RateLimiter {
  readonly #deps: RateLimiterDeps
  readonly #isFree: (request: FastifyRequest) => boolean

  constructor(deps: RateLimiterDeps) {
    this.#deps = deps
    this.#isFree = bypass(deps.config)
  }

  /**
   * Takes points for a request and tells in the answer's headers what is left of the tightest limit. Without a promise
   * if all of the buckets may be counted nearly.
   *
   * @param tenantId the tenant whose limits hold, where the request is known to be one of its accounts.
   * @throws {XrpcError} 429 RateLimitExceeded if a bucket is used up. Points of the others stay taken.
   */
  charge(
    request: FastifyRequest,
    reply: FastifyReply,
    charges: readonly Charge[],
    tenantId?: number,
  ): Promise<void> | void {
    if (this.#isFree(request)) return undefined
    const hostId = request.pdsHost?.id ?? noHost
    const scopes = [...this.#deps.directory.rateOverrides(hostId, tenantId), this.#deps.config.rateOverrides]
    const states: RateState[] = []
    const awaited: Promise<RateState>[] = []
    for (const charge of charges) {
      const limit = rateLimitOf(scopes, charge.bucket, charge.key)
      if (limit === null) continue
      const state = this.#take(hostId, charge, limit, reply)
      if (state instanceof Promise) awaited.push(state)
      else states.push(state)
    }
    if (awaited.length === 0) return settle(request, reply, states)
    return Promise.all(awaited).then((others) => settle(request, reply, [...states, ...others]))
  }

  #take(
    hostId: number,
    { bucket, key, points = 1, isForFailures = false, isOfCluster }: Charge,
    limit: RateLimit,
    reply: FastifyReply,
  ): RateState | Promise<RateState> {
    const { counters, keys } = this.#deps
    const name = keys.rateCount(isOfCluster === true ? noHost : hostId, `${bucket}:${limit.windowMs}`, key)
    if (!('isExact' in rateBuckets[bucket])) return stateOf(limit, counters.add(name, points, limit))
    if (isForFailures !== false) {
      const isFailure = (status: number): boolean => (isForFailures === true ? status >= 400 : status === 401)
      reply.raw.once('finish', () => {
        if (!isFailure(reply.statusCode)) void counters.giveBack(name, points, limit)
      })
    }
    return counters.addExactly(name, points, limit).then((count) => stateOf(limit, count))
  }
}

function stateOf(limit: RateLimit, { taken, resetAtMs }: RateCount): RateState {
  return { limit, remaining: Math.max(0, limit.points - taken), isOver: taken > limit.points, resetAtMs }
}

/** Remembers and sends the tightest state of a request, and refuses the request if that is used up. */
function settle(request: FastifyRequest, reply: FastifyReply, states: readonly RateState[]): void {
  const tightest = states.reduce(
    (best, state) => (best === undefined || isTighter(state, best) ? state : best),
    request.rateLimit,
  )
  if (tightest === undefined || tightest === request.rateLimit) return
  request.rateLimit = tightest
  const { limit, remaining, isOver, resetAtMs } = tightest
  reply
    .header('ratelimit-limit', limit.points)
    .header('ratelimit-remaining', remaining)
    .header('ratelimit-reset', Math.ceil(resetAtMs / 1_000))
    .header('ratelimit-policy', `${limit.points};w=${limit.windowMs / 1_000}`)
  if (!isOver) return
  const waitSeconds = Math.max(1, Math.ceil((resetAtMs - Date.now()) / 1_000))
  throw new XrpcError(429, 'RateLimitExceeded', 'Rate Limit Exceeded', {
    headers: { 'retry-after': String(waitSeconds) },
  })
}

/** Of two that are used up, the one that is so for longer is tighter. */
function isTighter(one: RateState, other: RateState): boolean {
  if (one.isOver !== other.isOver) return one.isOver
  return one.isOver ? one.resetAtMs > other.resetAtMs : one.remaining < other.remaining
}
