import { Readable } from 'node:stream'

import type { XrpcCall, XrpcGate } from '@rookery/http'
import type { FastifyInstance } from 'fastify'

import type { ApiDeps } from '../deps.ts'
import { leaveBody } from '../xrpc/streamed-body.ts'
import { clientKey } from './client-key.ts'
import type { Charge } from './rate-limiter.ts'
import { callerOf, methodCharges } from './method-charges.ts'

type Deps = Pick<ApiDeps, 'rateLimiter' | 'knownWriters' | 'accounts'>

/** Routes that do not count among all requests, with the bucket that they have instead. */
const ownBuckets: Readonly<Record<string, 'get-repo-ip' | 'tls-check-ip'>> = {
  '/xrpc/com.atproto.sync.getCheckout': 'get-repo-ip',
  '/xrpc/com.atproto.sync.getRepo': 'get-repo-ip',
  '/tls-check': 'tls-check-ip',
}

/**
 * Limits every request by its address, before anything else is looked at, and those with a password of the operator
 * by those that were wrong. Preflight requests are answered before.
 */
export function registerRateLimits(app: FastifyInstance, { rateLimiter }: Deps): void {
  app.decorateRequest('rateLimit', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    const bucket = ownBuckets[request.routeOptions.url ?? ''] ?? 'global-ip'
    const key = clientKey(request.ip)
    const isOperators = /^basic /i.test(request.headers.authorization ?? '')
    const charges: Charge[] = [{ bucket, key }, ...(isOperators ? operatorCharges(key) : [])]
    try {
      const charged = rateLimiter.charge(request, reply, charges)
      if (charged === undefined) done()
      else charged.then(() => done(), done)
    } catch (error) {
      done(error as Error)
    }
  })
}

function operatorCharges(key: string): Charge[] {
  const of = { key, isForFailures: 'of credentials', isOfCluster: true } as const
  return [
    { bucket: 'operator-failed-ip', ...of },
    { bucket: 'operator-failed-ip-day', ...of },
  ]
}

/** Returns the gates of the methods that take points of their own. */
export function rateGates(deps: Deps): (nsid: string) => XrpcGate | undefined {
  return (nsid) => {
    const chargesOf = methodCharges[nsid]
    if (chargesOf === undefined) return undefined
    return (call) => {
      const charge = (tenantId?: number): Promise<void> | void =>
        deps.rateLimiter.charge(call.request, call.reply, chargesOf(call), tenantId)
      return leavingBody(call, () => {
        const tenant = tenantOf(deps, call)
        return tenant instanceof Promise ? tenant.then(charge) : charge(tenant)
      })
    }
  }
}

/** The tenant of the account that calls; undefined if no account does. */
function tenantOf(
  deps: Deps,
  call: XrpcCall<unknown, unknown, unknown>,
): Promise<number | undefined> | number | undefined {
  const { auth, host } = call as XrpcCall<unknown, unknown, { account?: { tenant_id: number } } | null>
  if (auth?.account !== undefined) return auth.account.tenant_id
  const did = callerOf(call)
  if (did === undefined) return undefined
  const known = deps.knownWriters.get(host.id, did)
  if (known !== undefined) return known.tenant_id
  return deps.accounts.findByDid({ hostId: host.id, did }).then((account) => account?.tenant_id)
}

/** What a refused client still sends of a streamed body is not read. */
function leavingBody(
  { input, reply }: XrpcCall<unknown, unknown, unknown>,
  charge: () => Promise<void> | void,
): Promise<void> | void {
  const refuse = (error: unknown): never => {
    if (input instanceof Readable) leaveBody(reply, input)
    throw error
  }
  try {
    const charged = charge()
    return charged instanceof Promise ? charged.catch(refuse) : undefined
  } catch (error) {
    return refuse(error)
  }
}
