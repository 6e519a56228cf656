import { ExportsOverloadedError } from './errors.ts'

/** A bounded number of places for work that holds a resource; those who come later wait in order. */
export class Slots {
  readonly #waitingMax: number
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(places: number, waitingMax: number) {
    this.#free = places
    this.#waitingMax = waitingMax
  }

  /**
   * Resolves with a place, to be disposed when it is no longer needed.
   *
   * @param signal gives up waiting, with its reason.
   * @throws {ExportsOverloadedError} if too many wait already.
   */
  async acquire(signal?: AbortSignal): Promise<AsyncDisposable> {
    signal?.throwIfAborted()
    if (this.#free > 0) this.#free--
    else await this.#wait(signal)
    let isHeld = true
    return {
      [Symbol.asyncDispose]: () => {
        if (isHeld) this.#release()
        isHeld = false
        return Promise.resolve()
      },
    }
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.length >= this.#waitingMax) {
      throw new ExportsOverloadedError('Too many requests of this kind are running, try again shortly')
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const giveUp = (): void => {
      const index = this.#waiting.indexOf(resolve)
      // A place that was handed over in this very turn is kept: its owner gives it back.
      if (index < 0) return
      this.#waiting.splice(index, 1)
      reject(signal?.reason as Error)
    }
    this.#waiting.push(resolve)
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  #release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
