import { findAccountByHandle } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { type HostResolver, normalizeHostname } from '@rookery/http'
import { tryParseHandle } from '@rookery/syntax'
import { metrics } from '@rookery/telemetry'
import type { FastifyInstance } from 'fastify'

type Deps = { db: Pick<Database, 'pool'>; hosts: HostResolver }

metrics.add('rookery_tls_checks_total', { status: '503' }, 0)

/** Status and text of an answer. */
export type TlsCheckAnswer = [status: 200 | 400 | 404, text: string]

/**
 * Registers `GET /tls-check?domain=`, which tells a load balancer whether to get a certificate for a name before the
 * first request to it. It is asked under whatever name the load balancer knows the process by.
 */
export function registerTlsCheck(app: FastifyInstance, deps: Deps): void {
  app.get('/tls-check', { config: { isForAnyHost: true } }, async (request, reply) => {
    const { domain } = request.query as { domain?: unknown }
    const [status, text] = await checkTls(deps, typeof domain === 'string' ? domain : '')
    return reply.code(status).type('text/plain').send(text)
  })
}

/** Answers whether a certificate is wanted for a name, and counts the answer. */
export async function checkTls(deps: Deps, domain: string): Promise<TlsCheckAnswer> {
  let status = 503
  try {
    const answer = await lookUp(deps, domain)
    status = answer[0]
    return answer
  } finally {
    metrics.add('rookery_tls_checks_total', { status: String(status) })
  }
}

/** Returns 200 for the name of a host and for the handle of an active account, which proves itself under its name. */
async function lookUp({ db, hosts }: Deps, domain: string): Promise<TlsCheckAnswer> {
  if (domain === '') return [400, 'domain is missing\n']
  const name = normalizeHostname(domain)
  if (name === undefined) return [404, 'not served\n']
  if ((await hosts.findHost(name)) !== undefined) return [200, 'host\n']
  const handle = tryParseHandle(name)
  const host = handle === undefined ? undefined : await hosts.findHostOfHandle(handle)
  if (handle === undefined || host === undefined) return [404, 'not served\n']
  const account = await findAccountByHandle(db.pool, host.id, handle)
  return account?.status === 'active' ? [200, 'handle\n'] : [404, 'not served\n']
}
