import type { Config } from '@rookery/config'
import { Database, waitForSchema } from '@rookery/db'
import { Sequencer } from '@rookery/events'
import { startInternalServer } from '@rookery/http/internal-server'
import { createRedis, redisKeys } from '@rookery/redis'
import type { Logger } from '@rookery/telemetry'

import { ClusterFigures } from './cluster-figures.ts'

/** Connections beside the pinned one: readiness, and the figures of the cluster. */
const poolMax = 2

/** A running sequencer process. */
export type SequencerApp = AsyncDisposable & {
  /** The port of /livez, /readyz and /metrics. */
  internalPort: number
  /** Tells whether this process leads, as far as it knows. */
  isLeader(): boolean
}

/** The sequencer without a port of its own. */
export type SequencerCore = AsyncDisposable & {
  isLeader(): boolean
  /** Tells what keeps the process from working, or undefined. */
  notReady(): Promise<string | undefined>
}

/** Connects, waits for the schema and stands by for leadership. Disposing gives leadership up at once. */
export async function openSequencer(config: Config, log: Logger): Promise<SequencerCore> {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(
    new Database(log, { url: config.database.url, poolMax, applicationName: 'rookery-sequencer' }),
  )
  await waitForSchema(log, database.pool)
  const redis = stack.adopt(createRedis(log, config.redis.url), (connection) => connection.disconnect())
  const { leaseMs, retentionMs } = config.events
  const sequencer = stack.use(
    new Sequencer({ log, database, redis, keys: redisKeys(config.redis.prefix) }, { leaseMs, retentionMs }),
  )
  stack.use(
    new ClusterFigures({
      log,
      pool: database.pool,
      queueFloorId: () => sequencer.queueFloorId,
      retentionMs,
    }),
  )
  const owned = stack.move()
  return {
    isLeader: () => sequencer.isLeader,
    notReady: () =>
      database.pool.query('select 1').then(
        () => undefined,
        (error: Error) => `database: ${error.message}`,
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Opens the sequencer, with its internal port. */
export async function startSequencer(config: Config, log: Logger): Promise<SequencerApp> {
  await using stack = new AsyncDisposableStack()
  const core = stack.use(await openSequencer(config, log))
  const internal = stack.use(
    await startInternalServer({ port: config.http.internalPort, notReady: () => core.notReady() }),
  )
  stack.defer(() => internal.drain())
  const owned = stack.move()
  return {
    internalPort: internal.port,
    isLeader: () => core.isLeader(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
