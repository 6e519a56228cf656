import { safeFetchWrap } from '@atproto-labs/fetch-node'
import { metrics } from '@rookery/telemetry'

import { fetchBytesMax, fetchTimeoutMs } from './limits.ts'

/** `fetch` for URLs that strangers chose. */
export type SafeFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

export type SafeFetchOptions = {
  /** What is asked, as metrics call it; what is asked for nobody's request has none. */
  to?: 'plc' | 'identity' | 'client' | 'lexicon' | 'relay' | 'old-server'
  /** Allows plain HTTP, ports, IP literals and private addresses: for a local stack only. */
  allowPrivateNetwork: boolean
  /** Longest wait, in milliseconds. Default 5,000. */
  timeoutMs?: number
  /** Largest answer, in bytes. Default 524,288. */
  responseBytesMax?: number
}

/**
 * Returns the one way by which Rookery talks to servers that it was not configured with: HTTPS to public addresses
 * (checked after DNS), bounded in time and size. Callers pass `redirect` explicitly.
 */
export function createSafeFetch(options: SafeFetchOptions): SafeFetch {
  const { allowPrivateNetwork, to } = options
  const guarded = safeFetchWrap({
    ssrfProtection: !allowPrivateNetwork,
    allowHttp: allowPrivateNetwork,
    allowCustomPort: allowPrivateNetwork,
    allowIpHost: allowPrivateNetwork,
    allowPrivateIps: allowPrivateNetwork,
    timeout: options.timeoutMs ?? fetchTimeoutMs,
    responseMaxSize: options.responseBytesMax ?? fetchBytesMax,
    ...(allowPrivateNetwork ? { forbiddenDomainNames: [] } : {}),
  })
  return async (input, init) => {
    const startMs = performance.now()
    let outcome = 'failed'
    try {
      const response = await guarded(input, { redirect: 'error', ...init })
      outcome = `${Math.floor(response.status / 100)}xx`
      return response
    } finally {
      if (to !== undefined) {
        const seconds = (performance.now() - startMs) / 1_000
        metrics.observe('rookery_outbound_seconds', { to, outcome }, seconds)
      }
    }
  }
}
