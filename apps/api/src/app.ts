import { blobStoreOptions, openBlobStore } from '@rookery/blobs'
import type { Config } from '@rookery/config'
import { Database, waitForSchema } from '@rookery/db'
import {
  type AnyXrpcMethod,
  createSafeFetch,
  createServer,
  registerCompression,
  registerCors,
  registerMethods,
  stepBack,
} from '@rookery/http'
import { startInternalServer } from '@rookery/http/internal-server'
import { signerBackend } from '@rookery/identity'
import { bundledLexicons } from '@rookery/lexicon'
import { type OldServerDeps, oldServerAnswerBytesMax, oldServerTimeoutMs } from '@rookery/moves'
import { exportsMax } from '@rookery/records'
import { createRedis } from '@rookery/redis'
import type { Logger } from '@rookery/telemetry'
import { HostDirectory } from '@rookery/tenants'
import type { FastifyInstance } from 'fastify'

import { type ApiDeps, createApiDeps } from './deps.ts'
import { registerHealth } from './health.ts'
import { rateGates, registerRateLimits } from './limits/register-rate-limits.ts'
import { registerOAuth } from './oauth/routes.ts'
import { registerHome } from './pages/home.ts'
import { registerPages } from './pages/register-pages.ts'
import { registerCatchAll } from './proxy/catch-all.ts'
import { hostsWithCustomHandles } from './well-known/custom-handles.ts'
import { type TlsCheckAnswer, checkTls, registerTlsCheck } from './well-known/tls-check.ts'
import { registerWellKnown } from './well-known/well-known.ts'
import { actorMethods } from './xrpc/app.bsky.actor/index.ts'
import { feedMethods } from './xrpc/app.bsky.feed/index.ts'
import { notificationMethods } from './xrpc/app.bsky.notification/index.ts'
import { adminMethods } from './xrpc/com.atproto.admin/index.ts'
import { identityMethods } from './xrpc/com.atproto.identity/index.ts'
import { lexiconMethods } from './xrpc/com.atproto.lexicon/index.ts'
import { moderationMethods } from './xrpc/com.atproto.moderation/index.ts'
import { repoMethods } from './xrpc/com.atproto.repo/index.ts'
import { serverMethods } from './xrpc/com.atproto.server/index.ts'
import { syncMethods } from './xrpc/com.atproto.sync/index.ts'
import { rookeryAdminMethods } from './xrpc/net.rookery.admin/index.ts'
import { mailMethods } from './xrpc/net.rookery.mail/index.ts'
import { tempMethods } from './xrpc/com.atproto.temp/index.ts'

/** How long a request waits for Redis, in milliseconds: one that hangs is as good as away. */
const redisTimeoutMs = 1_000

/** Returns every XRPC method that an api process serves. */
export function xrpcMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [
    ...actorMethods(deps),
    ...adminMethods(deps),
    ...feedMethods(deps),
    ...identityMethods(deps),
    ...lexiconMethods(deps),
    ...moderationMethods(deps),
    ...notificationMethods(deps),
    ...mailMethods(deps),
    ...repoMethods(deps),
    ...serverMethods(deps),
    ...syncMethods(deps),
    ...rookeryAdminMethods(deps),
    ...tempMethods(deps),
  ]
}

/** Returns the api's Fastify instance, not listening yet: tests inject into it. */
export async function buildApi(deps: ApiDeps): Promise<FastifyInstance> {
  const { config, log } = deps
  const hosts = hostsWithCustomHandles(deps)
  const app = createServer({ log, trustedProxies: config.http.trustedProxies, hosts })
  await registerCors(app)
  await registerCompression(app)
  const isLimited = config.limits.rateLimits
  if (isLimited) registerRateLimits(app, deps)
  registerHome(app, deps)
  registerHealth(app, deps)
  registerWellKnown(app, deps)
  registerTlsCheck(app, { db: deps.db, hosts })
  registerOAuth(app, {
    oauth: deps.oauth,
    db: deps.db,
    rateLimiter: isLimited ? deps.rateLimiter : undefined,
  })
  const signInLimiter = isLimited ? deps.rateLimiter : undefined
  registerPages(app, { ...deps, ...oldServerFetches(deps), signInLimiter })
  const methods = xrpcMethods(deps)
  registerMethods(app, deps.lexicons, methods, isLimited ? rateGates(deps) : undefined)
  registerCatchAll(app, { ...deps, requestBytesMax: config.proxy.requestBytesMax }, methods)
  return app
}

/** How the servers are reached that accounts move away from: strangers name them. */
function oldServerFetches({ config }: Pick<ApiDeps, 'config'>): OldServerDeps {
  const { allowPrivateNetwork } = config.identity
  const guard = { to: 'old-server', allowPrivateNetwork, timeoutMs: oldServerTimeoutMs } as const
  const fetch = createSafeFetch({ ...guard, responseBytesMax: oldServerAnswerBytesMax })
  return { fetch, transfer: fetch }
}

/** A running api process. */
export type Api = AsyncDisposable & {
  /** The public port. */
  port: number
  /** The port of /livez, /readyz and /metrics. */
  internalPort: number
}

/** What another role adds to the public port when both run in one process. */
export type ApiExtension = {
  /** Registers routes, before the instance listens. */
  register(app: FastifyInstance): Promise<void>
  /** Ends what the routes hold open; called when readiness is gone, before requests are drained. */
  drain(app: FastifyInstance): Promise<void>
  /** Tells what keeps the process from serving, or undefined. */
  notReady(): Promise<string | undefined>
}

/** Connects, waits for the schema and listens. Disposing steps back and drains: readiness first, then requests, then connections. */
export async function startApi(config: Config, log: Logger, extension?: ApiExtension): Promise<Api> {
  await using stack = new AsyncDisposableStack()
  const db = stack.use(
    new Database(log, {
      url: config.database.url,
      poolMax: config.database.poolMax,
      applicationName: 'rookery-api',
    }),
  )
  const exports = stack.use(
    new Database(log, {
      url: config.database.url,
      poolMax: exportsMax,
      applicationName: 'rookery-api-export',
    }),
  )
  let isListening = false
  let tlsCheck: ((query: URLSearchParams) => Promise<TlsCheckAnswer>) | undefined
  const internal = stack.use(
    await startInternalServer({
      port: config.http.internalPort,
      notReady: () => (isListening ? whyNotReady(db, extension) : 'starting'),
      routes: { '/tls-check': async (query) => (await tlsCheck?.(query)) ?? [503, 'starting\n'] },
    }),
  )
  const blobs = stack.use(openBlobStore(blobStoreOptions(config.blobs)))
  await waitForSchema(log, db.pool)
  const redis = stack.adopt(
    createRedis(log, config.redis.url, { commandTimeoutMs: redisTimeoutMs }),
    (connection) => connection.disconnect(),
  )
  const directory = stack.use(new HostDirectory(log, db.kysely))
  await directory.refresh()
  const lexicons = bundledLexicons()
  const exportPool = exports.pool
  const connections = { config, log, db, exportPool, redis, blobs, directory, lexicons }
  const deps = createApiDeps(connections)
  log.info({ signer: signerBackend }, 'commits are signed')
  stack.use(deps.writer)
  stack.use(deps.upstream)
  const app = await buildApi(deps)
  stack.defer(() => app.close())
  await extension?.register(app)
  await app.listen({ port: config.http.port, host: config.http.address })
  isListening = true
  const hosts = hostsWithCustomHandles(deps)
  tlsCheck = (query) => checkTls({ db, hosts }, query.get('domain') ?? '')
  stack.defer(async () => {
    await stepBack(app, internal, { delayMs: config.http.stopDelayMs })
    await extension?.drain(app)
  })
  const owned = stack.move()
  const address = app.server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : config.http.port,
    internalPort: internal.port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function whyNotReady(db: Database, extension: ApiExtension | undefined): Promise<string | undefined> {
  return db.pool.query('select 1').then(
    () => extension?.notReady(),
    (error: Error) => `database: ${error.message}`,
  )
}
