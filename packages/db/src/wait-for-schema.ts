import { setTimeout as sleep } from 'node:timers/promises'

import type { Logger } from '@rookery/telemetry'
import type pg from 'pg'

import { isSchemaReady } from './migrate.ts'

/** How often a starting process looks whether the schema is there, in milliseconds. */
const pollMs = 500

/** Resolves when Postgres answers and has every migration that this version needs; says what it waits for. */
export async function waitForSchema(log: Logger, pool: pg.Pool, signal?: AbortSignal): Promise<void> {
  let said = ''
  for (;;) {
    signal?.throwIfAborted()
    const reason = await isSchemaReady(pool).then(
      (isReady) => (isReady ? undefined : 'the schema is older than this version: run `ctl migrate`'),
      (error: Error) => `the database does not answer: ${error.message}`,
    )
    if (reason === undefined) return
    if (reason !== said) log.warn(`waiting: ${reason}`)
    said = reason
    await sleep(pollMs, undefined, signal === undefined ? {} : { signal })
  }
}
