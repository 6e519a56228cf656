import type { Readable } from 'node:stream'

import { isUnicastIpHostname, unicastLookup } from '@atproto-labs/fetch-node'
import { metrics } from '@rookery/telemetry'
import { Agent } from 'undici'

import { upstreamConnectTimeoutMs, upstreamRequestsMax, upstreamRequestsPerOriginMax } from '../limits.ts'
import { XrpcError } from '../xrpc-error.ts'
import { forwardedAnswerHeaders } from './forwarded-headers.ts'
import { UpstreamAnswer } from './upstream-answer.ts'
import { toUpstreamError } from './upstream-error.ts'

export type UpstreamOptions = {
  /** Allows plain HTTP, IP literals and private addresses: for a local stack only. */
  allowPrivateNetwork: boolean
  /** Longest wait for the head of an answer, in milliseconds. */
  headersTimeoutMs: number
  /** Longest pause within an answer, in milliseconds. */
  bodyTimeoutMs: number
  /** Largest answer, in bytes as they come. */
  answerBytesMax: number
}

export type UpstreamRequest = {
  /** Scheme, name and port of the service. */
  origin: string
  /** Path and query. */
  path: string
  method: 'GET' | 'HEAD' | 'POST'
  headers: Record<string, string>
  body?: Readable | string | undefined
  /** Ends the request, or the answer, when nobody waits for it any more. */
  signal?: AbortSignal | undefined
}

/**
 * Streams requests to services that accounts or tenants chose: HTTPS to public addresses (checked after DNS) without
 * redirects, bounded in time, size and number. Bodies flow as fast as the slower side takes them.
 */
export class UpstreamClient implements AsyncDisposable {
  readonly #options: UpstreamOptions
  readonly #agent: Agent
  readonly #runningByOrigin = new Map<string, number>()
  #running = 0

  constructor(options: UpstreamOptions) {
    this.#options = options
    this.#agent = new Agent({
      allowH2: false,
      headersTimeout: options.headersTimeoutMs,
      bodyTimeout: options.bodyTimeoutMs,
      maxResponseSize: options.answerBytesMax,
      connect: {
        timeout: upstreamConnectTimeoutMs,
        ...(options.allowPrivateNetwork ? {} : { lookup: unicastLookup }),
      },
    })
  }

  /**
   * Sends a request and returns the answer once its head is there.
   *
   * @throws {XrpcError} as the service answered, if with an error; 502 UpstreamFailure if it cannot be reached or used;
   * 503 NotEnoughResources if too many requests run; whatever the body stream fails with.
   */
  async request(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const { origin, body = null, signal, ...rest } = request
    this.#assertAllowed(origin)
    const release = this.#take(origin)
    const startMs = performance.now()
    try {
      const {
        statusCode,
        headers,
        body: answer,
      } = await this.#agent.request({
        ...rest,
        origin,
        body,
        signal: signal ?? null,
      })
      observe(`${Math.floor(statusCode / 100)}xx`, startMs)
      // Whoever reads the body is told of its errors; until somebody does, they must not end the process.
      answer.once('close', release).on('error', () => {})
      return await this.#checked(new UpstreamAnswer(statusCode, forwardedAnswerHeaders(headers), answer))
    } catch (error) {
      release()
      if (error instanceof XrpcError) throw error
      observe('failed', startMs)
      throw unreachable(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }

  async #checked(answer: UpstreamAnswer): Promise<UpstreamAnswer> {
    if (answer.status >= 300) throw await toUpstreamError(answer)
    if (Number(answer.headers['content-length'] ?? 0) > this.#options.answerBytesMax) {
      answer.body.destroy()
      throw unreachable(new Error(`the answer has more than ${this.#options.answerBytesMax} bytes`))
    }
    return answer
  }

  #assertAllowed(origin: string): void {
    if (this.#options.allowPrivateNetwork) return
    const { protocol, hostname } = new URL(origin)
    // No name is looked up for an address, so the look-up can't refuse it.
    if (protocol === 'https:' && isUnicastIpHostname(hostname) === undefined) return
    throw unreachable(new Error(`${origin} is not an HTTPS origin under a name`))
  }

  #take(origin: string): () => void {
    const running = this.#runningByOrigin.get(origin) ?? 0
    if (running >= upstreamRequestsPerOriginMax || this.#running >= upstreamRequestsMax) {
      throw new XrpcError(
        503,
        'NotEnoughResources',
        'Too many requests to other services, try again shortly',
        {
          headers: { 'retry-after': '1' },
        },
      )
    }
    this.#running++
    this.#runningByOrigin.set(origin, running + 1)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#running--
      const left = (this.#runningByOrigin.get(origin) ?? 1) - 1
      if (left === 0) this.#runningByOrigin.delete(origin)
      else this.#runningByOrigin.set(origin, left)
    }
  }
}

function observe(outcome: string, startMs: number): void {
  metrics.observe('rookery_upstream_seconds', { outcome }, (performance.now() - startMs) / 1_000)
}

function unreachable(cause: unknown): XrpcError {
  return new XrpcError(502, 'UpstreamFailure', 'Upstream service unreachable', { cause })
}
