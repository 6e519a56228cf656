import { blobStoreOptions, openBlobStore } from '@rookery/blobs'
import type { Config } from '@rookery/config'
import { Database, waitForSchema } from '@rookery/db'
import { sequencerWaker } from '@rookery/events'
import { createSafeFetch } from '@rookery/http'
import { startInternalServer } from '@rookery/http/internal-server'
import { KeyWrapper, SigningKeys, signerBackend } from '@rookery/identity'
import { JobRelay, JobRunner, JobSchedules, wakeJobs } from '@rookery/jobs'
import { Mailer } from '@rookery/mail'
import { processTidClock } from '@rookery/records'
import { createRedis, redisKeys } from '@rookery/redis'
import type { Logger } from '@rookery/telemetry'
import { HostDirectory } from '@rookery/tenants'

import type { WorkerDeps } from './deps.ts'
import { crawlTimeoutMs } from './limits.ts'
import { buildProcessors } from './processors/processors.ts'
import { buildSchedules } from './schedules/schedules.ts'

/** A running worker process. */
export type WorkerService = AsyncDisposable & {
  /** The port of /livez, /readyz and /metrics. */
  internalPort: number
}

/** The worker without a port of its own. */
export type WorkerCore = AsyncDisposable & {
  /** Tells what keeps the process from working, or undefined. */
  notReady(): Promise<string | undefined>
}

/**
 * Connects, waits for the schema, and runs jobs until disposed: it then starts no further job, lets those that run
 * end within the drain time, and gives back the rest. Redis may be away: jobs wait in Postgres.
 */
export async function openWorker(config: Config, log: Logger): Promise<WorkerCore> {
  await using stack = new AsyncDisposableStack()
  const db = stack.use(
    new Database(log, {
      url: config.database.url,
      poolMax: config.database.poolMax,
      applicationName: 'rookery-worker',
    }),
  )
  await waitForSchema(log, db.pool)
  log.info({ signer: signerBackend }, 'commits are signed')
  const directory = stack.use(new HostDirectory(log, db.kysely))
  const mailer = stack.use(new Mailer({ log, url: config.mail.url, from: config.mail.from }))
  const store = stack.use(openBlobStore(blobStoreOptions(config.blobs)))
  const fetch = createSafeFetch({ to: 'relay', allowPrivateNetwork: true, timeoutMs: crawlTimeoutMs })
  const keys = redisKeys(config.redis.prefix)
  const redis = stack.adopt(createRedis(log, config.redis.url), (connection) => connection.disconnect())
  const wrapper = KeyWrapper.fromHex(config.identity)
  const deps: WorkerDeps = {
    config,
    log,
    db,
    directory,
    store,
    mailer,
    fetch,
    clock: processTidClock(),
    wrapper,
    signingKeys: new SigningKeys({ db, wrapper }),
    wakeSequencer: sequencerWaker(redis, keys),
    wakeWorkers: () => wakeJobs(redis, keys),
  }
  const jobs = {
    log,
    pool: db.pool,
    redisUrl: config.redis.url,
    keys,
  }
  const relay = stack.use(new JobRelay(jobs))
  stack.use(new JobRunner({ ...jobs, processors: buildProcessors(deps), drainMs: config.http.drainMs }))
  stack.use(
    new JobSchedules({ log, pool: db.pool, schedules: buildSchedules(deps), onRan: () => relay.wake() }),
  )
  const owned = stack.move()
  return {
    notReady: () =>
      db.pool.query('select 1').then(
        () => undefined,
        (error: Error) => `database: ${error.message}`,
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Opens the worker, with its internal port. */
export async function startWorker(config: Config, log: Logger): Promise<WorkerService> {
  await using stack = new AsyncDisposableStack()
  const core = stack.use(await openWorker(config, log))
  const internal = stack.use(
    await startInternalServer({ port: config.http.internalPort, notReady: () => core.notReady() }),
  )
  stack.defer(() => internal.drain())
  const owned = stack.move()
  return { internalPort: internal.port, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
