import { randomUUID } from 'node:crypto'

import { DomainError } from '@rookery/std'
import { BoundedCount, type Logger, countDatabaseError, metrics, nameRequestSpan } from '@rookery/telemetry'
import {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  fastify,
} from 'fastify'

import { isDatabaseOutage, isDatabaseOverloaded, isUnstorableText } from './database-outage.ts'
import { toXrpcError } from './error-map.ts'
import {
  headBytesMax,
  headersTimeoutMs,
  jsonBytesMax,
  keepAliveTimeoutMs,
  outageRetrySeconds,
} from './limits.ts'
import { type HostResolver, type PdsHost, normalizeHostname } from './pds-host.ts'
import { XrpcError } from './xrpc-error.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The host that the request came to; set before any handler runs. */
    pdsHost: PdsHost
    /** Who the request is for, as far as known: goes into its log lines. */
    logContext: LogContext
  }
  interface FastifyContextConfig {
    /** Whether the route is served under any name, also one that no host has; `pdsHost` is then unset. */
    isForAnyHost?: boolean
  }
}

/** Fields that tie a log line to what it is about. */
export type LogContext = { requestId: string; host?: string; tenant?: number; account?: string }

export type ServerOptions = {
  log: Logger
  /** Load balancers whose forwarded headers are believed (addresses or CIDR ranges). */
  trustedProxies: readonly string[]
  /** Finds the host of each request. */
  hosts: HostResolver
}

/**
 * Returns a Fastify instance that routes by host: each request has `pdsHost` set, or was answered 404 because no
 * host has its name. Errors leave as `{error, message}`; what is unexpected is logged and leaves as a bare 500.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = options.log
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    bodyLimit: jsonBytesMax,
    keepAliveTimeout: keepAliveTimeoutMs,
    http: { maxHeaderSize: headBytesMax, headersTimeout: headersTimeoutMs },
    genReqId: () => randomUUID(),
    // `logContext` says what a line is about: a logger of its own for each request costs more than most lines do.
    childLoggerFactory: (logger) => logger,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: true,
  })
  app.decorateRequest('pdsHost', null as unknown as PdsHost)
  app.decorateRequest('logContext', null as unknown as LogContext)
  app.addHook('onRequest', (request, reply, done) => {
    request.logContext = { requestId: request.id }
    reply.header('x-request-id', request.id)
    if (request.routeOptions.config.isForAnyHost === true) return done()
    const host = findHost(options.hosts, request)
    // Most hosts are known: no promise then.
    if (!(host instanceof Promise)) return done(assignHost(request, host))
    host.then((found) => done(assignHost(request, found)), done)
  })
  app.addHook('onResponse', (request, reply, done) => {
    if (options.log.isLevelEnabled('info')) logRequest(request, reply)
    countRequest(request, reply)
    done()
  })
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const answer = toAnswer(error)
    metrics.add('rookery_http_errors_total', { method: routeOf(request), error: labelOf(answer) })
    if (answer.status >= 500) countDatabaseError(error, isDatabaseOutage(error))
    return answerError(error, answer, request, reply)
  })
  app.setNotFoundHandler((request, reply) => answerNotFound(request, reply))
  return app
}

const statusClasses = ['', '1xx', '2xx', '3xx', '4xx', '5xx']

/** Hosts that one process tells apart in its metrics. */
const countedHostsMax = 50

const hostRequests = new BoundedCount(countedHostsMax)
metrics.read('rookery_http_host_requests_total', () =>
  [...hostRequests].map(([host, count]) => [{ host }, count]),
)

function findHost(
  hosts: HostResolver,
  request: FastifyRequest,
): Promise<PdsHost | undefined> | PdsHost | undefined {
  const hostname = normalizeHostname(request.host)
  if (hostname === undefined) return undefined
  const host = hosts.findHost(hostname)
  if (!(host instanceof Promise)) return host ?? findHandleHost(hosts, request, hostname)
  return host.then((found) => found ?? findHandleHost(hosts, request, hostname))
}

/** Sets the request's host; returns the answer if it has none that serves. */
function assignHost(request: FastifyRequest, host: PdsHost | undefined): XrpcError | undefined {
  if (host === undefined) {
    const hostname = normalizeHostname(request.host) ?? '(missing)'
    return new XrpcError(404, 'HostNotFound', `No PDS is served under the name ${hostname}`)
  }
  if (host.status === 'suspended') {
    return new XrpcError(503, 'HostSuspended', `${host.hostname} is suspended`)
  }
  request.pdsHost = host
  request.logContext.host = host.hostname
  nameRequestSpan(routeOf(request), { host: host.hostname, requestId: request.id })
  return undefined
}

function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const { method, logContext } = request
  const path = request.url.split('?', 1)[0]
  const elapsedMs = Math.round(reply.elapsedTime)
  request.log.info({ ...logContext, method, path, status: reply.statusCode, elapsedMs }, 'request')
}

/** A handle's own name serves only its proof: everything else there is unknown, so no app takes it for a PDS. */
function findHandleHost(
  hosts: HostResolver,
  request: FastifyRequest,
  hostname: string,
): Promise<PdsHost | undefined> | undefined {
  if (!request.url.startsWith('/.well-known/atproto-did')) return undefined
  return hosts.findHostOfHandle(hostname.replace(/:\d+$/, ''))
}

function countRequest(request: FastifyRequest, reply: FastifyReply): void {
  const status = statusClasses[Math.floor(reply.statusCode / 100)] ?? 'unknown'
  const labels = { method: routeOf(request), status }
  metrics.observe('rookery_http_request_seconds', labels, reply.elapsedTime / 1_000)
  const { host } = request.logContext
  if (host !== undefined) hostRequests.add(host)
}

/** The error's name as a label: those of other services are theirs to choose, and so without end. */
function labelOf({ error, isUpstream }: XrpcError): string {
  return isUpstream ? 'Upstream' : error
}

/** The route's pattern: unknown paths are all one, so that labels stay few. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'unknown'
}

function answerError(
  error: FastifyError | Error,
  answer: XrpcError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (answer.status >= 500) {
    // Which other servers are asked is up to callers: theirs failing is no fault of ours.
    const level = answer.status === 502 ? 'warn' : 'error'
    request.log[level]({ ...request.logContext, err: error, path: request.url.split('?', 1)[0] }, 'failed')
  }
  // An unknown host is found out before CORS is looked at; pages of other origins may read that as well.
  if (!reply.hasHeader('access-control-allow-origin')) reply.header('access-control-allow-origin', '*')
  if (answer.status === 401) reply.header('www-authenticate', `Bearer error="${answer.error}"`)
  return reply
    .code(answer.status)
    .headers(answer.headers)
    .send({ error: answer.error, message: answer.message })
}

function toAnswer(error: FastifyError | Error): XrpcError {
  if (error instanceof XrpcError) return error
  if (error instanceof DomainError) return toXrpcError(error)
  const code = 'code' in error ? error.code : undefined
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new XrpcError(413, 'PayloadTooLarge', 'request entity too large')
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new XrpcError(415, 'UnsupportedMediaType', error.message)
  }
  if ('statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500) {
    return new XrpcError(error.statusCode, 'InvalidRequest', error.message, { cause: error })
  }
  if (isUnstorableText(error)) {
    return new XrpcError(400, 'InvalidRequest', 'A text must not hold a NUL', { cause: error })
  }
  if (isDatabaseOutage(error)) return unavailable('The server cannot reach its database', error)
  if (isDatabaseOverloaded(error)) return unavailable('The database cannot do this now', error)
  return new XrpcError(500, 'InternalServerError', 'Internal Server Error', { cause: error })
}

function unavailable(what: string, cause: Error): XrpcError {
  const headers = { 'retry-after': String(outageRetrySeconds) }
  return new XrpcError(503, 'NotEnoughResources', `${what}, try again shortly`, { cause, headers })
}

function answerNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const isXrpc = request.url.startsWith('/xrpc/')
  return reply
    .code(isXrpc ? 501 : 404)
    .send(
      isXrpc
        ? { error: 'MethodNotImplemented', message: 'Method Not Implemented' }
        : { error: 'NotFound', message: 'Not Found' },
    )
}
