import type { Readable } from 'node:stream'

import { type UpstreamAnswer, type UpstreamClient, forwardedRequestHeaders } from '@rookery/http'
import type { ServiceTokens } from '@rookery/identity'
import type { FastifyReply, FastifyRequest } from 'fastify'

import type { AccessAuth } from '../auth/access.ts'
import { assertMayCall } from '../auth/service-calls.ts'
import { parseProxyHeader } from './proxy-header.ts'
import { type Service, type ServiceDeps, findAppView, findService } from './services.ts'

export type ForwardDeps = ServiceDeps & {
  upstream: Pick<UpstreamClient, 'request'>
  serviceTokens: Pick<ServiceTokens, 'tokenFor'>
  /** How tokens name the service. */
  audience: 'did' | 'did#service'
}

/** A request as it came, and the answer to it. */
export type Exchange = { request: FastifyRequest; reply: FastifyReply }

/** A request of an account that another service answers. */
export type Forwarding = Exchange & {
  auth: AccessAuth
  nsid: string
  /** The body as it came, as a stream, or JSON text. */
  body?: Readable | string | undefined
  /** Where it goes. Default: where its header says, or the settings of the account's tenant. */
  service?: Service
  /** For whom and for what the token is. Default: the service and the method. */
  token?: { audience: string; method: string }
}

/**
 * Sends the request to its service, with a token that the account's key signs, and returns the answer's head and
 * stream. The service's work ends with the caller's connection.
 *
 * @throws {XrpcError} if the caller may not; if there is no service; as the service answered with an error, or did not.
 */
export async function forward(deps: ForwardDeps, forwarding: Forwarding): Promise<UpstreamAnswer> {
  const { request, reply, auth, nsid, body, token } = forwarding
  const service = forwarding.service ?? (await serviceOf(deps, request, auth, nsid))
  assertMayCall(auth, { nsid, service })
  if (token !== undefined) assertMayCall(auth, { nsid: token.method, service })
  const method = methodOf(request)
  const serviceToken = await deps.serviceTokens.tokenFor(auth.account, {
    ...(token ?? { audience: audienceOf(deps, service), method: nsid }),
    isReusable: method !== 'POST',
  })
  return deps.upstream.request({
    origin: service.origin,
    path: request.url,
    method,
    headers: { ...headersFor(request, body), authorization: `Bearer ${serviceToken}` },
    body,
    signal: abandoned(reply),
  })
}

/** Sends a query to a service in nobody's name and returns the answer's head and stream. */
export function forwardPublicly(
  deps: Pick<ForwardDeps, 'upstream'>,
  { request, reply }: Exchange,
  { origin }: Pick<Service, 'origin'>,
): Promise<UpstreamAnswer> {
  return deps.upstream.request({
    origin,
    path: request.url,
    method: methodOf(request),
    headers: headersFor(request, undefined),
    signal: abandoned(reply),
  })
}

/** Returns a token for a query of this server's own to the service, in the account's name. */
export function queryToken(
  deps: Pick<ForwardDeps, 'serviceTokens' | 'audience'>,
  account: { id: number; did: string },
  { service, nsid }: { service: Service; nsid: string },
): Promise<string> {
  const audience = audienceOf(deps, service)
  return deps.serviceTokens.tokenFor(account, { audience, method: nsid, isReusable: true })
}

/** Returns the service that the caller's request goes to. */
export function serviceOf(
  deps: ServiceDeps,
  request: FastifyRequest,
  { account }: AccessAuth,
  nsid: string,
): Promise<Service> {
  return findService(deps, { tenantId: account.tenant_id, nsid, header: proxyHeaderOf(request) })
}

/**
 * Tells whether a request is for the AppView of the account's tenant: it names none, or that one, or any where the
 * tenant has none.
 */
export async function isForOwnAppView(
  deps: ServiceDeps,
  request: FastifyRequest,
  { account }: AccessAuth,
): Promise<boolean> {
  const header = proxyHeaderOf(request)
  if (header === undefined) return true
  const { did, id } = parseProxyHeader(header)
  const appView = await findAppView(deps, account.tenant_id)
  return id === 'bsky_appview' && (appView === undefined || appView.did === did)
}

/**
 * Checks that the caller may call what is served here for the AppView of the account's tenant, as if it went there.
 *
 * @throws {XrpcError} 403 ScopeMissingError if the account did not allow the app.
 */
export async function assertMayCallAppView(
  deps: Pick<ServiceDeps, 'directory'>,
  { auth, host, nsid }: { auth: AccessAuth; host: { serviceDid: string }; nsid: string },
): Promise<void> {
  if (auth.permissions === undefined) return
  const appView = await findAppView(deps, auth.account.tenant_id)
  assertMayCall(auth, { nsid, service: appView ?? { did: host.serviceDid, id: 'bsky_appview' } })
}

/** Returns the request's atproto-proxy header, or undefined. */
function proxyHeaderOf({ headers }: FastifyRequest): string | undefined {
  const header = headers['atproto-proxy']
  return Array.isArray(header) ? header.join(', ') : header
}

function audienceOf({ audience }: Pick<ForwardDeps, 'audience'>, { did, id }: Service): string {
  return audience === 'did' ? did : `${did}#${id}`
}

function methodOf({ method }: FastifyRequest): 'GET' | 'HEAD' | 'POST' {
  return method === 'GET' || method === 'HEAD' ? method : 'POST'
}

function headersFor(request: FastifyRequest, body: Forwarding['body']): Record<string, string> {
  if (typeof body !== 'string') return forwardedRequestHeaders(request.headers, body !== undefined)
  return { ...forwardedRequestHeaders(request.headers, false), 'content-type': 'application/json' }
}

/** Returns the signal that nobody waits for the answer any more. */
function abandoned({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  if (raw.destroyed) controller.abort()
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort()
  })
  return controller.signal
}
