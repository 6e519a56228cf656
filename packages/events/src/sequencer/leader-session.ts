import { DomainError } from '@rookery/std'
import type { Database } from '@rookery/db'
import type pg from 'pg'

import { withDeadline } from '../deadline.ts'
import { closeMsMax } from '../limits.ts'
import { prepareSession, takeTerm, type Term, tryLeaderLock } from './sequencer-queries.ts'

/** Is thrown when the connection that holds the leader's lock is gone, and leadership with it. */
export class LeadershipLostError extends DomainError {
  override readonly name = 'LeadershipLostError'
  readonly code = 'LeadershipLost'
}

/**
 * The pinned connection of a sequencer: a standby asks for the leader's lock on it, a leader does all its work on
 * it. The server ends it after `silenceMsMax` without a statement, and the lock goes with it: a leader that was
 * stopped for longer finds its connection closed and can do nothing with it. Nothing is ever retried on another
 * connection.
 */
export class LeaderSession implements AsyncDisposable {
  readonly #client: pg.Client
  readonly #answerMsMax: number
  readonly #abort = new AbortController()

  private constructor(client: pg.Client, answerMsMax: number) {
    this.#client = client
    this.#answerMsMax = answerMsMax
    client.on('error', () => this.#abort.abort())
    client.on('end', () => this.#abort.abort())
  }

  /** Aborts when the connection is gone. */
  get lost(): AbortSignal {
    return this.#abort.signal
  }

  /**
   * Connects.
   *
   * @param options.silenceMsMax how long the server waits for a statement before it ends the session.
   * @throws {Error} if Postgres does not answer.
   */
  static async open(
    database: Database,
    options: { silenceMsMax: number; answerMsMax: number },
  ): Promise<LeaderSession> {
    const client = database.client('rookery-sequencer')
    const session = new LeaderSession(client, options.answerMsMax)
    try {
      await client.connect()
      await session.run((client) => prepareSession(client, options.silenceMsMax))
    } catch (error) {
      await session[Symbol.asyncDispose]()
      throw error
    }
    return session
  }

  /**
   * Tries to become the leader.
   *
   * @returns undefined if another process leads.
   * @throws {LeadershipLostError} if the connection is gone.
   */
  async tryLead(): Promise<Term | undefined> {
    return this.run(async (client) => ((await tryLeaderLock(client)) ? takeTerm(client) : undefined))
  }

  /**
   * Runs statements on the connection.
   *
   * @throws {LeadershipLostError} if the connection is gone, or the server did not answer in time.
   */
  async run<T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    if (this.lost.aborted) throw new LeadershipLostError('the connection with the lock is gone')
    try {
      return await withDeadline(work(this.#client), this.#answerMsMax, 'a statement of the leader')
    } catch (error) {
      // Whatever went wrong, an open transaction or an unknown outcome must not be carried on.
      this.#abort.abort()
      throw new LeadershipLostError('a statement on the connection with the lock failed', { cause: error })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
    await withDeadline(this.#client.end(), closeMsMax, 'closing').catch(() => undefined)
  }
}
