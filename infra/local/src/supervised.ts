/**
 * One process of the stack that is started again whenever it ends.
 *
 * States: starting → running → waiting (back-off) → running … → stopped. The back-off doubles from 100 ms to 5 s and
 * starts over once a process has run for 10 s. A start that fails is tried again like an end. Only the very first
 * start may fail for good: `launch` then throws.
 *
 * `replace` puts another process in the place of one that runs: both run until the new one is ready.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { waitUntil } from './ports.ts'

/** What a start gives back. */
export type Running = {
  readonly pid: number
  /** Where it serves, when it serves anything. */
  readonly url?: string
  /** Its internal port, when it has one. */
  readonly internalUrl?: string
  /** Resolves with its exit code when it has ended. */
  readonly exited: Promise<number>
  /** Whether it can do its work; one without this can from its start on. */
  isReady?(): boolean
  stop(): Promise<void>
}

/** How to supervise a process. */
export type SupervisedOptions = {
  role: string
  /** Starts one; resolves when it has a process id. */
  start: () => Promise<Running>
  /** Told of every change of `current`. */
  onChange: () => void
  /** Told in a sentence of every end and every failed start. */
  say: (text: string) => void
}

const backoffMsMin = 100
const backoffMsMax = 5_000
/** A process that ran this long is healthy: its next end starts the back-off over, in milliseconds. */
const healthyMs = 10_000
/** How long a process that replaces another may take to become ready, in milliseconds. */
const readyMsMax = 60_000

/** See the header of this module. */
export class Supervised implements AsyncDisposable {
  readonly role: string
  readonly #options: SupervisedOptions
  readonly #abort = new AbortController()
  #current: Running | undefined
  #watching: Promise<void> = Promise.resolve()
  #replacing: Promise<void> = Promise.resolve()

  private constructor(options: SupervisedOptions) {
    this.role = options.role
    this.#options = options
  }

  /** Starts the process and supervises it from then on; whatever the first start throws comes out here. */
  static async launch(options: SupervisedOptions): Promise<Supervised> {
    const supervised = new Supervised(options)
    const running = await options.start()
    supervised.#change(running)
    supervised.#watching = supervised.#watch(running)
    return supervised
  }

  /** The running process; undefined between an end and the next start. */
  get current(): Running | undefined {
    return this.#current
  }

  /**
   * Starts another process, and stops the present one when the new one is ready; resolves when that has ended. If the
   * new one does not become ready, it is stopped and the present one stays.
   *
   * @throws {SetUpError} if the new process did not become ready.
   */
  replace(): Promise<void> {
    const replacing = this.#replacing.then(() => this.#replace())
    this.#replacing = replacing.catch(() => undefined)
    return replacing
  }

  /** Stops the process for good; resolves when it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
    await this.#current?.stop()
    await Promise.all([this.#replacing, this.#watching])
  }

  async #replace(): Promise<void> {
    const old = this.#current
    // One that has just ended gets a successor anyway.
    if (old === undefined) return
    const next = await this.#options.start()
    try {
      await this.#untilReady(next)
    } catch (error) {
      await next.stop()
      throw error
    }
    if (this.#current !== old) return next.stop()
    this.#change(next)
    this.#watching = Promise.all([this.#watching, this.#watch(next)]).then(() => undefined)
    await old.stop()
  }

  async #untilReady(running: Running): Promise<void> {
    let code: number | undefined
    void running.exited.then((exitCode) => (code = exitCode))
    await waitUntil(() => running.isReady?.() ?? true, {
      what: `replacing ${this.role}`,
      timeoutMs: readyMsMax,
      giveUp: () => {
        if (this.#abort.signal.aborted) return 'stopped'
        return code === undefined ? undefined : `its successor ended with code ${code}`
      },
    })
  }

  #change(running: Running | undefined): void {
    this.#current = running
    this.#options.onChange()
  }

  async #watch(first: Running): Promise<void> {
    const { signal } = this.#abort
    let running: Running | undefined = first
    let failures = 0
    while (!signal.aborted) {
      if (running !== undefined) {
        const startedMs = performance.now()
        const code = await running.exited
        if (signal.aborted) break
        // Replaced: its successor is watched already.
        if (this.#current !== running) return
        this.#change(undefined)
        if (performance.now() - startedMs > healthyMs) failures = 0
        this.#options.say(`${this.role} (pid ${running.pid}) ended with code ${code}: starting another`)
      }
      const backoffMs = Math.min(backoffMsMax, backoffMsMin * 2 ** failures++)
      await sleep(backoffMs, undefined, { signal }).catch(() => undefined)
      running = await this.#tryStart()
    }
    this.#change(undefined)
  }

  async #tryStart(): Promise<Running | undefined> {
    if (this.#abort.signal.aborted) return undefined
    try {
      const running = await this.#options.start()
      // NOTE: disposal during a start finds no process to stop; it is stopped here.
      if (this.#abort.signal.aborted) await running.stop()
      else this.#change(running)
      return running
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#options.say(`${this.role} did not start: ${reason}`)
      return undefined
    }
  }
}
