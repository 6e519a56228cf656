/**
 * A background loop: runs one step after another until disposed.
 *
 * States: running → stopping → stopped. A step that returns a number waits that many milliseconds before the
 * next; `wake()` ends the wait early, and a wake during a step makes the next one start at once. A step that
 * throws is reported and tried again after a back-off that doubles from `backoffMsMin` to `backoffMsMax`, with
 * jitter; the first success resets it. Steps never overlap. Disposing aborts `signal`, ends any wait, and
 * resolves when the running step has settled; nothing the step throws can crash the process.
 */
export type LoopOptions = {
  /** One step; resolves to the milliseconds to wait before the next (0: none). */
  step: (signal: AbortSignal) => Promise<number>
  /** Told of every failed step and the back-off that follows it, in milliseconds. */
  onError: (error: unknown, backoffMs: number) => void
  /** First back-off in milliseconds. Default 100. */
  backoffMsMin?: number
  /** Longest back-off in milliseconds. Default 10,000. */
  backoffMsMax?: number
  /** Source of jitter in [0, 1). Default Math.random. */
  random?: () => number
}

/**
 * Runs a step again and again; see the module's header for the exact contract.
 *
 * @example
 * await using loop = new Loop({ step: async () => ((await work()) ? 0 : 1_000), onError: log })
 */
export class Loop implements AsyncDisposable {
  readonly #options: Required<LoopOptions>
  readonly #abort = new AbortController()
  readonly #done: Promise<void>
  #woken = false
  #endWait: (() => void) | undefined

  constructor(options: LoopOptions) {
    this.#options = { backoffMsMin: 100, backoffMsMax: 10_000, random: Math.random, ...options }
    this.#done = this.#run()
  }

  /** Ends the current wait, or makes the next step follow the running one at once. */
  wake(): void {
    this.#woken = true
    this.#endWait?.()
  }

  /** Stops after the running step; idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
    this.#endWait?.()
    await this.#done
  }

  async #run(): Promise<void> {
    const { step, onError, backoffMsMin, backoffMsMax, random } = this.#options
    const { signal } = this.#abort
    let failures = 0
    await Promise.resolve()
    while (!signal.aborted) {
      this.#woken = false
      let waitMs: number
      try {
        waitMs = await step(signal)
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        const ceiling = Math.min(backoffMsMax, backoffMsMin * 2 ** failures++)
        waitMs = ceiling * (0.5 + random() / 2)
        onError(error, waitMs)
      }
      if (waitMs > 0) await this.#wait(waitMs)
    }
  }

  #wait(ms: number): Promise<void> {
    if (this.#woken || this.#abort.signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#endWait?.(), ms)
      this.#endWait = () => {
        clearTimeout(timer)
        this.#endWait = undefined
        resolve()
      }
    })
  }
}
