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
   * @throws {ExportsOverloadedError} if too many wait already.
   */
  async acquire(): Promise<AsyncDisposable> {
    if (this.#free > 0) this.#free--
    else {
      if (this.#waiting.length >= this.#waitingMax) {
        throw new ExportsOverloadedError('Too many exports are running, try again shortly')
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    let isHeld = true
    return {
      [Symbol.asyncDispose]: () => {
        if (isHeld) this.#release()
        isHeld = false
        return Promise.resolve()
      },
    }
  }

  #release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
