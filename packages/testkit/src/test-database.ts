import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { Database } from '@rookery/db'
import { createLogger } from '@rookery/telemetry'
import type pg from 'pg'

import { type PostgresAnswer, onDatabase, runOn } from './service-broker.ts'
import { service } from './services.ts'

/** How long connections of the file under test may take to close after its last test, in milliseconds. */
const leakGraceMs = 3_000

/** A database of one's own, with the whole schema and no rows. */
export type TestDatabase = AsyncDisposable & {
  readonly name: string
  readonly url: string
  /** An open `Database` on it; disposed with this object. */
  readonly database: Database
  /** The pool of `database`. */
  readonly pool: pg.Pool
}

/** Is thrown when a test file leaves connections open; names each with its last statement. */
export class LeakedConnectionsError extends Error {
  override readonly name = 'LeakedConnectionsError'
}

/**
 * Clones the migrated template into a new database. Disposing closes `database`, waits for every other connection
 * to be gone, and drops it.
 *
 * @throws {LeakedConnectionsError} on disposal, when something else still holds a connection.
 * @example
 * let db: TestDatabase
 * beforeAll(async () => { db = await createTestDatabase() })
 * afterAll(() => db[Symbol.asyncDispose]())
 */
export async function createTestDatabase(options: { poolMax?: number } = {}): Promise<TestDatabase> {
  const { adminUrl, template, prefix } = await service<PostgresAnswer>('postgres')
  const name = `${prefix}_${randomBytes(6).toString('hex')}`
  await runOn(adminUrl, (client) =>
    client.query(`create database ${name} template ${template} strategy file_copy`),
  )
  const url = onDatabase(adminUrl, name)
  const database = new Database(createLogger('test', 'silent'), {
    url,
    poolMax: options.poolMax ?? 10,
    applicationName: 'rookery-test',
  })
  return {
    name,
    url,
    database,
    pool: database.pool,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]()
      const leaks = await runOn(adminUrl, async (client) => {
        const found = await leakedConnections(client, name)
        await client.query(`drop database if exists ${name} with (force)`)
        return found
      })
      if (leaks.length > 0) {
        throw new LeakedConnectionsError(
          `${leaks.length} connection(s) to the test database were left open:\n${leaks.join('\n')}`,
        )
      }
    },
  }
}

async function leakedConnections(client: pg.Client, database: string): Promise<string[]> {
  const deadline = performance.now() + leakGraceMs
  for (;;) {
    const { rows } = await client.query<{ application_name: string; state: string; query: string }>(
      `select application_name, state, query from pg_stat_activity
       where datname = $1 and backend_type = 'client backend'`,
      [database],
    )
    if (rows.length === 0) return []
    if (performance.now() > deadline) {
      return rows.map((row) => `  ${row.application_name} (${row.state}): ${row.query.slice(0, 200)}`)
    }
    await sleep(20)
  }
}
