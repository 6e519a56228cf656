import { setTimeout as sleep } from 'node:timers/promises'

import type { Config } from '@rookery/config'
import { Database, waitForSchema } from '@rookery/db'
import { EventTail, Fanout, logReaderSettings } from '@rookery/events'
import { createServer, type HostResolver, stepBack } from '@rookery/http'
import { startInternalServer } from '@rookery/http/internal-server'
import { createRedis, redisKeys } from '@rookery/redis'
import type { Logger } from '@rookery/telemetry'
import { HostDirectory } from '@rookery/tenants'
import type { FastifyInstance } from 'fastify'

import { closeGraceMs } from './limits.ts'
import { registerSubscribeRepos, type SubscribeReposDeps } from './subscribe-repos.ts'

/** What the firehose's Fastify instance is built from. */
export type FirehoseDeps = SubscribeReposDeps & {
  log: Logger
  hosts: HostResolver
  trustedProxies: readonly string[]
}

/** A running firehose process. */
export type Firehose = AsyncDisposable & {
  /** The public port. */
  port: number
  /** The port of /livez, /readyz and /metrics. */
  internalPort: number
}

/** Returns the firehose's Fastify instance, not listening yet. */
export async function buildFirehose(deps: FirehoseDeps): Promise<FastifyInstance> {
  const app = createServer({ log: deps.log, trustedProxies: deps.trustedProxies, hosts: deps.hosts })
  await registerSubscribeRepos(app, deps)
  return app
}

/** What serves subscribers, without a port of its own: any Fastify instance may register it. */
export type FirehoseCore = AsyncDisposable & {
  /** What `registerSubscribeRepos` takes. */
  deps: SubscribeReposDeps
  directory: HostDirectory
  /**
   * Takes no more subscribers and sends those that `app` has away one after the other over `config.http.drainMs`.
   * To be called before the instance is closed.
   */
  drain(app: FastifyInstance): Promise<void>
}

/** Connects, waits for the schema and reaches the newest event. */
export async function openFirehose(config: Config, log: Logger): Promise<FirehoseCore> {
  const { database, redis, events, http } = config
  await using stack = new AsyncDisposableStack()
  const db = stack.use(
    new Database(log, {
      url: database.url,
      poolMax: database.poolMax,
      applicationName: 'rookery-firehose',
      settings: logReaderSettings,
    }),
  )
  await waitForSchema(log, db.pool)
  const connection = stack.adopt(createRedis(log, redis.url), (connection) => connection.disconnect())
  const directory = stack.use(new HostDirectory(log, db.kysely))
  await directory.refresh()
  let fanout: Fanout | undefined
  const tail = stack.use(
    await EventTail.start(
      { log, pool: db.pool, redis: connection, keys: redisKeys(redis.prefix) },
      { ringBytesMax: events.ringBytesMax, onEvents: (hostIds) => fanout?.onEvents(hostIds) },
    ),
  )
  fanout = stack.use(new Fanout({ log, pool: db.pool, ring: tail.ring }, { retentionMs: events.retentionMs }))
  let isDraining = false
  const owned = stack.move()
  return {
    deps: { fanout, isDraining: () => isDraining },
    directory,
    async drain(app) {
      isDraining = true
      await fanout.drain(http.drainMs)
      await allClosed(app)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/**
 * Opens the firehose and listens. Disposing drains: readiness first, then the subscribers, then everything closes.
 */
export async function startFirehose(config: Config, log: Logger): Promise<Firehose> {
  const { http } = config
  await using stack = new AsyncDisposableStack()
  const core = stack.use(await openFirehose(config, log))
  const { trustedProxies } = http
  const app = await buildFirehose({ ...core.deps, log, hosts: core.directory, trustedProxies })
  stack.defer(() => app.close())
  await app.listen({ port: http.port, host: http.address })
  const internal = stack.use(
    await startInternalServer({ port: http.internalPort, notReady: () => undefined }),
  )
  stack.defer(async () => {
    await stepBack(app, internal, { delayMs: http.stopDelayMs })
    await core.drain(app)
  })
  const owned = stack.move()
  const address = app.server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : http.port,
    internalPort: internal.port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Leaves clients a moment to answer the close. */
async function allClosed(app: FastifyInstance): Promise<void> {
  const deadline = performance.now() + closeGraceMs
  while (app.websocketServer.clients.size > 0 && performance.now() < deadline) await sleep(20)
}

export { registerSubscribeRepos } from './subscribe-repos.ts'
