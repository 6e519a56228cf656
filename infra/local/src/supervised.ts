/**
 * One process of the stack that is started again whenever it ends.
 *
 * States: starting → running → waiting (back-off) → running … → stopped. The back-off doubles from 100 ms to 5 s and
 * starts over once a process has run for 10 s. A start that fails is tried again like an end. Only the very first
 * start may fail for good: `launch` then throws.
 */
import { setTimeout as sleep } from 'node:timers/promises'

/** What a start gives back. */
export type Running = {
  readonly pid: number
  /** Where it serves, when it serves anything. */
  readonly url?: string
  /** Resolves with its exit code when it has ended. */
  readonly exited: Promise<number>
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

/** See the header of this module. */
export class Supervised implements AsyncDisposable {
  readonly role: string
  readonly #options: SupervisedOptions
  readonly #abort = new AbortController()
  #current: Running | undefined
  #watching: Promise<void> = Promise.resolve()

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

  /** Stops the process for good; resolves when it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
    await this.#current?.stop()
    await this.#watching
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
