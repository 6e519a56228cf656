import type { SafeFetch } from '@rookery/http'
import type { Host } from '@rookery/tenants'

import { type Report, reasonOf } from './finding.ts'

/** Checks that the network finds a host at its public URL: its name resolves, its certificate is good, it is itself. */
export async function checkHost(safeFetch: SafeFetch, host: Host, report: Report): Promise<void> {
  const { hostname: subject, publicUrl, serviceDid } = host
  try {
    const health = await safeFetch(`${publicUrl}/xrpc/_health`)
    await health.body?.cancel()
    if (!health.ok) {
      const problem = `${publicUrl}/xrpc/_health is answered with ${health.status}`
      report({
        severity: 'error',
        check: 'host',
        subject,
        problem,
        hint: 'do api pods run and get its requests?',
      })
      return
    }
    const answer = await safeFetch(`${publicUrl}/.well-known/did.json`)
    const document: unknown = await answer.json().catch(() => undefined)
    const id = typeof document === 'object' && document !== null && 'id' in document ? document.id : undefined
    if (id !== serviceDid) {
      const problem = `what answers at ${publicUrl} is not ${serviceDid}`
      const hint = 'the load balancer must pass the Host header on'
      report({ severity: 'error', check: 'host', subject, problem, hint })
    }
  } catch (error) {
    const problem = `${publicUrl} is not reached: ${reasonOf(error)}`
    report({ severity: 'error', check: 'host', subject, problem, hint: 'DNS, load balancer, certificate?' })
  }
}
