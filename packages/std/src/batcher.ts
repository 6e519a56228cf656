import { must } from './assert.ts'

/** How questions are gathered. */
export type BatcherOptions<Question, Answer> = {
  /** Answers questions together, in their order. What it throws, each of them throws. */
  run: (questions: readonly Question[]) => Promise<readonly Answer[]>
  /** Most questions of one run. */
  batchMax: number
  /** Runs under way at once; what is asked meanwhile forms the next one. */
  inFlightMax: number
}

type Waiting<Question, Answer> = {
  question: Question
  resolve: (answer: Answer) => void
  reject: (error: unknown) => void
}

/**
 * Asks together what many callers ask one by one. Nothing waits for a timer: while fewer than `inFlightMax` runs are
 * under way, whatever was asked in a turn of the event loop goes out at its end.
 *
 * @example
 * const heads = new Batcher({ run: (ids) => findHeads(pool, ids), batchMax: 64, inFlightMax: 2 })
 * const head = await heads.ask(accountId)
 */
export class Batcher<Question, Answer> {
  readonly #options: BatcherOptions<Question, Answer>
  #queue: Waiting<Question, Answer>[] = []
  #inFlight = 0
  #isScheduled = false

  constructor(options: BatcherOptions<Question, Answer>) {
    this.#options = options
  }

  /** Returns the answer to one question, or throws what its run threw. */
  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ question, resolve, reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled || this.#inFlight >= this.#options.inFlightMax) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      while (this.#queue.length > 0 && this.#inFlight < this.#options.inFlightMax) {
        void this.#run(this.#queue.splice(0, this.#options.batchMax))
      }
    })
  }

  async #run(batch: readonly Waiting<Question, Answer>[]): Promise<void> {
    this.#inFlight++
    try {
      const answers = await this.#options.run(batch.map(({ question }) => question))
      for (const [index, { resolve }] of batch.entries()) resolve(must(answers[index]))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      this.#inFlight--
      if (this.#queue.length > 0) this.#schedule()
    }
  }
}
