import type { Db } from '@rookery/db'
import type { SafeFetch } from '@rookery/http'
import { type JobProcessor, JobRefusedError } from '@rookery/jobs'
import { isPublicHostname, listHosts } from '@rookery/tenants'

/**
 * Asks a relay to crawl a host. What the relay refuses outright (4xx) is not asked again by this job: the next event
 * of the host asks anew. A host that went meanwhile, or that no relay can reach, is left out.
 */
export function crawlRequest(deps: {
  db: Db
  fetch: SafeFetch
  allowPrivateNetwork: boolean
}): JobProcessor<'crawl-request'> {
  return async ({ payload, signal, log }) => {
    const host = (await listHosts(deps.db)).find(({ id }) => id === payload.hostId)
    if (host === undefined || host.status !== 'active') return
    const { hostname } = host
    if (!deps.allowPrivateNetwork && !isPublicHostname(hostname)) return
    const { relay } = payload
    const response = await deps.fetch(new URL('/xrpc/com.atproto.sync.requestCrawl', relay), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ hostname }),
      redirect: 'error',
      signal,
    })
    const text = (await response.text()).slice(0, 300)
    if (response.ok) {
      log.info({ host: hostname, relay }, 'crawl requested')
      return
    }
    const problem = `${relay} answered ${response.status} to a crawl request for ${hostname}: ${text}`
    const isFinal = response.status >= 400 && response.status < 500 && response.status !== 429
    throw isFinal ? new JobRefusedError('RelayRefused', problem) : new Error(problem)
  }
}
