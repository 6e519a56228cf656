import { XrpcError } from '@rookery/http'

import { retryAfterSeconds } from './limits.ts'

/** Who connects, and to which host. */
export type Peer = { ip: string; hostId: number }

/** Counts the open connections of this process by address and by host. */
export class ConnectionLimits {
  readonly #perIpMax: number
  readonly #perHostMax: number
  readonly #counts = new Map<string, number>()

  constructor(options: { perIpMax: number; perHostMax: number }) {
    this.#perIpMax = options.perIpMax
    this.#perHostMax = options.perHostMax
  }

  /**
   * Returns if one more connection is allowed.
   *
   * @throws {XrpcError} 429 if not.
   */
  check({ ip, hostId }: Peer): void {
    if (this.#count(`ip ${ip}`) >= this.#perIpMax) throw tooMany('from your address')
    if (this.#count(`host ${hostId}`) >= this.#perHostMax) throw tooMany('to this host')
  }

  /** Counts a connection until the function that it returns is called. */
  add({ ip, hostId }: Peer): () => void {
    const keys = [`ip ${ip}`, `host ${hostId}`]
    for (const key of keys) this.#counts.set(key, this.#count(key) + 1)
    return () => {
      for (const key of keys.splice(0)) {
        const count = this.#count(key) - 1
        if (count > 0) this.#counts.set(key, count)
        else this.#counts.delete(key)
      }
    }
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0
  }
}

function tooMany(whence: string): XrpcError {
  return new XrpcError(429, 'RateLimitExceeded', `Too many connections ${whence}`, {
    headers: { 'retry-after': String(retryAfterSeconds) },
  })
}
