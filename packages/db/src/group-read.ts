/** Questions of one statement unless told otherwise: past 16 the gain flattens. */
const questionsMaxDefault = 32

/** Statements of one group in flight: the second is sent while answers of the first are worked on. */
const statementsInFlightMax = 2

type Waiting<Question, Answer> = {
  question: Question
  resolve: (answer: Answer | undefined) => void
  reject: (error: unknown) => void
}

/**
 * Puts small questions of one kind to PostgreSQL together. A statement that looks up sixteen rows costs little more
 * than one that looks up one row, here and there.
 *
 * Nothing waits for a timer: while fewer than `statementsInFlightMax` statements are under way, whatever was asked in
 * a turn goes out at its end; what is asked meanwhile forms the next. Each question is answered by a statement that
 * began after it was asked, so it sees everything that was committed before. A question that PostgreSQL refuses fails
 * alone.
 *
 * @example
 * const heads = new GroupRead((ids: readonly number[]) => findHeads(pool, ids))
 * const head = await heads.ask(accountId)
 */
export class GroupRead<Question, Answer> {
  readonly #answer: (questions: readonly Question[]) => Promise<readonly (Answer | undefined)[]>
  readonly #questionsMax: number
  readonly #queue: Waiting<Question, Answer>[] = []
  #inFlight = 0
  #isScheduled = false

  /**
   * @param answer puts the questions in one statement; answers are in their order.
   * @param options.questionsMax questions of one statement. Default 32; fewer where answers may be large.
   */
  constructor(
    answer: (questions: readonly Question[]) => Promise<readonly (Answer | undefined)[]>,
    options: { questionsMax?: number } = {},
  ) {
    this.#answer = answer
    this.#questionsMax = options.questionsMax ?? questionsMaxDefault
  }

  /** Returns the answer to a question, or undefined if there is none. Throws what the statement throws. */
  ask(question: Question): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ question, resolve, reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled || this.#inFlight >= statementsInFlightMax) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      while (this.#queue.length > 0 && this.#inFlight < statementsInFlightMax) {
        void this.#run(this.#queue.splice(0, this.#questionsMax))
      }
    })
  }

  async #run(group: readonly Waiting<Question, Answer>[]): Promise<void> {
    this.#inFlight++
    await this.#settle(group)
    this.#inFlight--
    if (this.#queue.length > 0) this.#schedule()
  }

  async #settle(group: readonly Waiting<Question, Answer>[]): Promise<void> {
    try {
      const answers = await this.#answer(group.map(({ question }) => question))
      for (const [index, { resolve }] of group.entries()) resolve(answers[index])
    } catch (error) {
      if (group.length > 1 && isDataError(error)) {
        for (const waiting of group) await this.#settle([waiting])
        return
      }
      for (const { reject } of group) reject(error)
    }
  }
}

/** Tells whether PostgreSQL could not take a value: class 22, data exception. */
function isDataError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^22[0-9A-Z]{3}$/.test(String(error.code))
}
