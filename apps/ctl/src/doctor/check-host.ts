import type { SafeFetch } from '@rookery/http'
import { dayMs, secondMs } from '@rookery/std'
import type { Host } from '@rookery/tenants'

import { certificateEnd } from './certificate.ts'
import { type Report, reasonOf } from './finding.ts'

/** How long before its end a certificate should have been renewed: ACME clients do that a month before. */
const certificateMsMin = 14 * dayMs
const handshakeMsMax = 5 * secondMs

/** Checks that the network finds a host at its public URL: its name resolves, its certificate is good, it is itself. */
export async function checkHost(safeFetch: SafeFetch, host: Host, report: Report): Promise<void> {
  const { hostname: subject, publicUrl, serviceDid } = host
  await checkCertificate(publicUrl, subject, report)
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

/** Says when the certificate of a public URL ends soon. That nothing answers there is told by who asks for more. */
export async function checkCertificate(publicUrl: string, subject: string, report: Report): Promise<void> {
  const url = new URL(publicUrl)
  if (url.protocol !== 'https:') return
  const endsMs = await certificateEnd(url, handshakeMsMax).catch(() => undefined)
  const leftMs = (endsMs ?? Infinity) - Date.now()
  if (leftMs > certificateMsMin) return
  const days = Math.floor(leftMs / dayMs)
  const problem = days < 0 ? 'its certificate has ended' : `its certificate ends in ${days} days`
  const hint = 'does what renews it run, and is it let in to prove the name?'
  report({ severity: days < 0 ? 'error' : 'warning', check: 'host', subject, problem, hint })
}
