import { safeFetchWrap } from '@atproto-labs/fetch-node'

import { fetchBytesMax, fetchTimeoutMs } from './limits.ts'
import { type OutboundTarget, measureOutbound } from './outbound.ts'

/** `fetch` for URLs that strangers chose. */
export type SafeFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

export type SafeFetchOptions = {
  /** What is asked, as metrics call it; what is asked for nobody's request has none. */
  to?: OutboundTarget
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
  return (input, init) => measureOutbound(to, () => guarded(input, { redirect: 'error', ...init }))
}
