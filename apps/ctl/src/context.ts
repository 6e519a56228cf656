import { once } from 'node:events'
import { text } from 'node:stream/consumers'

import { type Config, type Role, loadConfig } from '@rookery/config'
import { Database } from '@rookery/db'
import { createRedis, redisKeys } from '@rookery/redis'
import { createLogger } from '@rookery/telemetry'
import type { Command } from 'commander'

import { type CtlIo, exitCodes } from './ctl-io.ts'
import { table } from './table.ts'

/** What a command prints: `value` as JSON, `rows` for people. */
export type Answer = { value: unknown } & ({ rows: readonly Record<string, unknown>[] } | { text: string })

/** Longest wait for a Redis that is to wake somebody, in milliseconds. */
const wakeTimeoutMs = 1_000

/** Shortest time between two lines of progress, in milliseconds. */
const progressEveryMs = 1_000

/**
 * What commands share. The database is opened by the first that needs it, so that `--help` works anywhere, and
 * closed when the context is disposed.
 */
export class CtlContext implements AsyncDisposable {
  readonly io: CtlIo
  /** What the run ends with if nothing fails. */
  exitCode: number = exitCodes.ok
  readonly log = createLogger('ctl', 'silent')
  readonly #load: (roles: readonly Role[]) => Config
  #db: Database | undefined
  #reportedAt = performance.now()

  constructor(io: CtlIo, load: (roles: readonly Role[]) => Config) {
    this.io = io
    this.#load = load
  }

  /**
   * Returns the configuration. Without roles it asks only for what every process needs: `ctl migrate` runs without
   * any key.
   *
   * @throws {InvalidConfigError}
   */
  config(roles: readonly Role[] = []): Config {
    return this.#load(roles)
  }

  /** Returns the database. */
  get db(): Database {
    this.#db ??= new Database(this.log, {
      url: this.config().database.url,
      poolMax: 4,
      applicationName: 'rookery-ctl',
    })
    return this.#db
  }

  /** Returns what is on standard input. */
  readInput(): Promise<string> {
    return this.io.input === undefined ? text(process.stdin) : this.io.input()
  }

  /** Prints an answer as the command was asked to. */
  print(command: Command, answer: Answer): void {
    const { json } = command.optsWithGlobals<{ json?: boolean }>()
    if (json === true) this.io.out(`${JSON.stringify(answer.value, null, 2)}\n`)
    else this.io.out('rows' in answer ? table(answer.rows) : `${answer.text}\n`)
  }

  /** Prints one thing whole: a line per field. */
  printOne(command: Command, value: object): void {
    this.print(command, { value, rows: Object.entries(value).map(([field, value]) => ({ field, value })) })
  }

  /** Says how far long work is, at most once a second, where it does not mix with what is printed. */
  progress(text: string): void {
    const now = performance.now()
    if (now - this.#reportedAt < progressEveryMs) return
    this.#reportedAt = now
    this.io.err(`${text}\n`)
  }

  /** Tells workers and sequencer of committed jobs and events. Never fails: they also look by themselves. */
  async wake(): Promise<void> {
    const { url, prefix } = this.config().redis
    const keys = redisKeys(prefix)
    const redis = createRedis(this.log, url, { commandTimeoutMs: wakeTimeoutMs })
    try {
      await once(redis, 'ready', { signal: AbortSignal.timeout(wakeTimeoutMs) })
      await Promise.all([redis.publish(keys.jobWake, ''), redis.publish(keys.eventWake, '')])
    } catch {
      // Redis is away: within a second or so they have looked.
    } finally {
      redis.disconnect()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db?.[Symbol.asyncDispose]()
  }
}

/** Returns a context that is configured by the environment. */
export function openContext(io: CtlIo): CtlContext {
  return new CtlContext(io, (roles) => loadConfig(roles, io.env))
}
