import type { Database } from '@rookery/db'
import type { Logger } from '@rookery/telemetry'

import { queueVacuumMs, queueVacuumRows, queueVacuumShare } from '../limits.ts'
import { vacuumQueue } from './sequencer-queries.ts'

/**
 * Has the space of numbered rows used again within seconds. Autovacuum comes by once a minute: under load the queue
 * would by then be hundreds of megabytes of dead rows, written to the disk and pushing live pages out of the cache.
 *
 * Works beside the rounds, on another connection, and locks nobody out. While a snapshot is held that still sees the
 * rows, by an export or a backup, each vacuum passes over all of them in vain, so the next one waits in proportion.
 */
export class QueueVacuum implements AsyncDisposable {
  readonly #log: Logger
  readonly #database: Database
  #rows = 0
  #dueMs = 0
  #running: Promise<void> | undefined

  constructor(log: Logger, database: Database) {
    this.#log = log
    this.#database = database
  }

  /** Notes how many rows a round has taken, and begins a vacuum if it is time. */
  note(rows: number): void {
    this.#rows += rows
    if (this.#rows < queueVacuumRows || this.#running || performance.now() < this.#dueMs) return
    this.#rows = 0
    this.#running = this.#vacuum()
  }

  /** Waits for a vacuum under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running
  }

  async #vacuum(): Promise<void> {
    const startMs = performance.now()
    try {
      await vacuumQueue(this.#database.pool)
    } catch (error) {
      this.#log.warn({ err: error }, 'could not vacuum the event queue: that is left to autovacuum')
    }
    const endMs = performance.now()
    this.#dueMs = endMs + Math.max(queueVacuumMs, (endMs - startMs) / queueVacuumShare)
    this.#running = undefined
  }
}
