import { type Logger, metrics } from '@rookery/telemetry'
import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'

import type { Schema } from './schema/index.ts'

/** Kysely over the whole schema. */
export type Db = Kysely<Schema>

/** A transaction of `Db`. */
export type Tx = Transaction<Schema>

/** Where a hot statement may run: the pool, or a client in a transaction. */
export type Queryable = Pick<pg.Pool, 'query'> | Pick<pg.ClientBase, 'query'>

/** A connection of a pool, for what needs one of its own for a while; whoever took it releases it. */
export type Connection = pg.PoolClient

export type DatabaseOptions = {
  /** PostgreSQL connection URL. */
  url: string
  /** Most connections of the pool. */
  poolMax: number
  /** Shown in pg_stat_activity. */
  applicationName: string
  /** Parameters of PostgreSQL that its sessions begin with, beside those of all. Default none. */
  settings?: Readonly<Record<string, string>>
}

// Every bigint of the schema stays below 2^53: ids, seqs (until 2255) and byte counts.
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format),
}

/** How long to wait for a connection to open or to come free, in milliseconds. */
export const connectTimeoutMs = 10_000

/** How long PostgreSQL lets a statement of a pool run, in milliseconds: a stuck one must not hold locks for ever. */
export const statementTimeoutMs = 60_000

/**
 * Connections to PostgreSQL: `pool` for hot named statements, `kysely` on the same pool for everything else.
 * Disposing waits for running queries. Connections open on demand: a database that is away is an error of the
 * query, not of this constructor, and the next query tries again.
 */
export class Database implements AsyncDisposable {
  readonly pool: pg.Pool
  readonly kysely: Db
  /** The options it was made with: for those who need a connection of their own (leader, export). */
  readonly options: DatabaseOptions
  readonly #metrics = new DisposableStack()

  constructor(log: Logger, options: DatabaseOptions) {
    this.options = options
    this.pool = new pg.Pool({
      ...connectionConfig(options),
      max: options.poolMax,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: statementTimeoutMs,
    })
    // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
    this.pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'))
    this.#measure()
    this.kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: this.pool }) })
  }

  /** Returns a new unconnected client outside the pool; the caller connects and ends it. */
  client(applicationName: string): pg.Client {
    return new pg.Client(connectionConfig({ ...this.options, applicationName }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#metrics.dispose()
    // Kysely ends the pool only if it ever ran a query itself.
    await this.kysely.destroy()
    if (!this.pool.ending) await this.pool.end()
  }

  #measure(): void {
    const pool = this.options.applicationName
    this.#metrics.use(
      metrics.read('rookery_database_connections', () => {
        const { totalCount, idleCount, waitingCount } = this.pool
        return [
          [{ pool, state: 'busy' }, totalCount - idleCount],
          [{ pool, state: 'idle' }, idleCount],
          [{ pool, state: 'waiting' }, waitingCount],
        ]
      }),
    )
    this.#metrics.use(
      metrics.read('rookery_database_connections_max', () => [[{ pool }, this.options.poolMax]]),
    )
  }
}

// Statements look rows up by key. PostgreSQL finds plans of partitioned tables cheaper with known values and so would
// plan each execution anew, which takes longer than to run it.
const settings = { plan_cache_mode: 'force_generic_plan' }

function connectionConfig(options: DatabaseOptions): pg.ClientConfig {
  return {
    connectionString: options.url,
    application_name: options.applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    options: Object.entries({ ...settings, ...options.settings })
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
    types,
  }
}
