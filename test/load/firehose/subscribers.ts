import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { BenchError } from '../bench-error.ts'
import type { Server } from '../http/connection.ts'
import { type Child, startChild, untilListening } from '../../support/child.ts'
import type { Command, Tally } from './subscribers-process.ts'

/** Subscribers of a firehose, in a process of their own. */
export class Subscribers implements AsyncDisposable {
  readonly #child: Child

  private constructor(child: Child) {
    this.#child = child
  }

  /** Starts the process; nobody is subscribed yet. */
  static async start(): Promise<Subscribers> {
    const logFile = join(tmpdir(), `rookery-bench-subscribers-${process.pid}.log`)
    const module = join(import.meta.dirname, 'subscribers-process.ts')
    const child = startChild({ module, args: [], logFile })
    await untilListening(child, logFile)
    return new Subscribers(child)
  }

  /** The process that holds them. */
  get pid(): number {
    return this.#child.pid
  }

  /**
   * Connects `count` subscribers, spread over the servers; resolves when all are connected.
   *
   * @param options.repeatAfter a subscriber that has read so many messages begins again at its cursor.
   * @throws {BenchError} if one is refused.
   */
  async subscribe(options: {
    servers: readonly Server[]
    count: number
    cursor?: number
    repeatAfter?: number
  }): Promise<void> {
    await this.#tell({ type: 'subscribe', ...options })
  }

  /** Counts from here on. */
  async reset(): Promise<void> {
    await this.#tell({ type: 'reset' })
  }

  /** What came since the last reset. */
  report(): Promise<Tally> {
    return this.#tell({ type: 'report' })
  }

  /** Disconnects all. */
  async close(): Promise<void> {
    await this.#tell({ type: 'close' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop()
  }

  #tell(command: Command): Promise<Tally> {
    const { promise, resolve, reject } = Promise.withResolvers<Tally>()
    const { process } = this.#child
    const ended = () => reject(new BenchError('the process of the subscribers has ended'))
    process.once('exit', ended)
    process.once('message', (message: { answer: Tally } | { error: string }) => {
      process.off('exit', ended)
      if ('answer' in message) resolve(message.answer)
      else reject(new BenchError(message.error))
    })
    // NOTE: without a function to tell it to, a channel that is closed would end this process.
    process.send(command, (error) => error !== null && ended())
    return promise
  }
}
