import type { Config, Role } from '@rookery/config'
import { Database } from '@rookery/db'
import { createLogger } from '@rookery/telemetry'
import type { Command } from 'commander'

import { table } from './table.ts'

/** Where ctl writes to and what it is configured by. */
export type CtlIo = {
  out: (text: string) => void
  err: (text: string) => void
  /** Default: the process's own. */
  env?: NodeJS.ProcessEnv
}

/** What a command prints: `value` as JSON, `rows` for people. */
export type Answer = { value: unknown } & ({ rows: readonly Record<string, unknown>[] } | { text: string })

/**
 * What commands share. The database is opened by the first that needs it, so that `--help` works anywhere, and
 * closed when the context is disposed.
 */
export class CtlContext implements AsyncDisposable {
  readonly io: CtlIo
  readonly #load: (roles: readonly Role[]) => Config
  #db: Database | undefined

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
    this.#db ??= new Database(createLogger('ctl', 'silent'), {
      url: this.config().database.url,
      poolMax: 2,
      applicationName: 'rookery-ctl',
    })
    return this.#db
  }

  /** Prints an answer as the command was asked to. */
  print(command: Command, answer: Answer): void {
    const { json } = command.optsWithGlobals<{ json?: boolean }>()
    if (json === true) this.io.out(`${JSON.stringify(answer.value, null, 2)}\n`)
    else this.io.out('rows' in answer ? table(answer.rows) : `${answer.text}\n`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db?.[Symbol.asyncDispose]()
  }
}
