/**
 * One PostgreSQL and one Redis for a whole test run, started when the first test file asks for them, so that a run
 * of unit tests starts nothing. Lives in vitest's main process; the workers ask over loopback HTTP.
 *
 * `ROOKERY_TEST_DATABASE_URL` (a superuser or a role with CREATEDB) and `ROOKERY_TEST_REDIS_URL` use services that
 * already run; what this run made there is dropped at its end.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { migrate } from '@rookery/db'
import { startPostgres, startRedis } from '@rookery/local'
import pg from 'pg'

/** What a worker is told about PostgreSQL. */
export type PostgresAnswer = {
  /** URL of a database from which others may be created. */
  adminUrl: string
  /** Database with all migrations applied and no rows: clone it. */
  template: string
  /** Every database of this run starts with it. */
  prefix: string
}

/** What a worker is told about Redis. */
export type RedisAnswer = { url: string; prefix: string }

/** Hands out services to the workers of one run. */
export class ServiceBroker implements AsyncDisposable {
  readonly #server: Server
  readonly #stack = new AsyncDisposableStack()
  readonly #prefix = `rookery_test_${randomBytes(4).toString('hex')}`
  #dir: string | undefined
  #postgres: Promise<PostgresAnswer> | undefined
  #redis: Promise<RedisAnswer> | undefined

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request.url ?? '/').then(
        (body) => response.end(JSON.stringify(body)),
        (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : ''),
      )
    })
  }

  /** Starts listening; no service yet. */
  static async start(): Promise<ServiceBroker> {
    const broker = new ServiceBroker()
    broker.#server.listen(0, '127.0.0.1')
    await once(broker.#server, 'listening')
    return broker
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await Promise.allSettled([this.#postgres, this.#redis])
    await this.#stack.disposeAsync()
    if (this.#dir !== undefined) rmSync(this.#dir, { recursive: true, force: true })
  }

  #answer(path: string): Promise<PostgresAnswer | RedisAnswer> {
    if (path === '/postgres') return (this.#postgres ??= this.#startPostgres())
    if (path === '/redis') return (this.#redis ??= this.#startRedis())
    return Promise.reject(new Error(`no service at ${path}`))
  }

  async #startPostgres(): Promise<PostgresAnswer> {
    let adminUrl = process.env['ROOKERY_TEST_DATABASE_URL']
    if (adminUrl === undefined || adminUrl === '') {
      const server = this.#stack.use(await startPostgres({ dir: this.#folder(), durable: false }))
      this.#stack.defer(() => rmSync(dirname(server.dataDir), { recursive: true, force: true }))
      this.#stack.defer(() => server.stop())
      adminUrl = server.url
    } else {
      const url = adminUrl
      this.#stack.defer(() => dropDatabases(url, this.#prefix))
    }
    const template = `${this.#prefix}_template`
    await runOn(adminUrl, (client) => client.query(`create database ${template}`))
    const pool = new pg.Pool({ connectionString: onDatabase(adminUrl, template), max: 1 })
    await migrate(pool)
    await pool.end()
    return { adminUrl, template, prefix: this.#prefix }
  }

  async #startRedis(): Promise<RedisAnswer> {
    const given = process.env['ROOKERY_TEST_REDIS_URL']
    if (given !== undefined && given !== '') return { url: given, prefix: this.#prefix }
    const server = this.#stack.use(await startRedis({ dir: this.#folder(), durable: false }))
    return { url: server.url, prefix: this.#prefix }
  }

  #folder(): string {
    if (this.#dir === undefined) {
      this.#dir = mkdtempSync(join(tmpdir(), 'rookery-test-'))
      // NOTE: as root the PostgreSQL server is another user, which must be able to pass through.
      chmodSync(this.#dir, 0o711)
    }
    return this.#dir
  }
}

/** The same URL for another database of the server. */
export function onDatabase(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}

/** Runs on a connection of its own. */
export async function runOn<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'rookery-testkit' })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function dropDatabases(url: string, prefix: string): Promise<void> {
  await runOn(url, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      'select datname from pg_database where starts_with(datname, $1)',
      [prefix],
    )
    for (const { datname } of rows) await client.query(`drop database if exists ${datname} with (force)`)
  })
}
