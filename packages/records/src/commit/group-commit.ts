import type { Database } from '@rookery/db'
import { assert, must } from '@rookery/std'
import { metrics } from '@rookery/telemetry'

import { WritesOverloadedError } from '../errors.ts'
import {
  batchBytesMax,
  batchCommitsMax,
  busyRetriesMax,
  busyRetryMs,
  gatherMsMax,
  gatheredCommits,
  waitingCommitsMax,
} from '../limits.ts'
import { type CommitOutcome, type NewCommit, commitBytes, storeCommits } from './commit-queries.ts'

type Waiting = {
  commit: NewCommit
  resolve: (outcome: CommitOutcome) => void
  reject: (error: unknown) => void
  /** How often it found its repo held. */
  busy: number
}

/**
 * Stores commits of different repos together.
 *
 * While no statement is under way, whatever is ready goes out at the end of the turn; what becomes ready meanwhile
 * forms the next batch. So an idle process answers at the database's latency, and a busy one pays one round trip and
 * one flush to disk for many commits. After a statement of several commits their callers are about to write again:
 * the next statement waits for them for half as long as that one took, so that one of twice the size follows instead
 * of two that take turns.
 *
 * A repo has at most one commit here at any time: its callers queue per repo. One whose repo another transaction
 * holds, as a compaction does for milliseconds, is tried again a little later and holds nobody up.
 */
export class GroupCommit {
  readonly #pool: Database['pool']
  readonly #onStored: () => void
  readonly #queue: Waiting[] = []
  readonly #accounts = new Set<number>()
  #isInFlight = false
  #isScheduled = false
  /** Set while the next statement waits for more commits; clears that. */
  #gathering: NodeJS.Timeout | undefined

  /** @param onStored called after each statement that stored a commit. */
  constructor(pool: Database['pool'], onStored: () => void) {
    this.#pool = pool
    this.#onStored = onStored
  }

  /**
   * Stores a commit and returns what became of it, once that is durable: 'busy' if its repo was held all the time.
   *
   * @throws {WritesOverloadedError} if too many commits wait.
   */
  store(commit: NewCommit): Promise<CommitOutcome> {
    if (this.#queue.length >= waitingCommitsMax) {
      throw new WritesOverloadedError('Too many writes are waiting, try again shortly')
    }
    assert(!this.#accounts.has(commit.accountId), 'a repo has one commit in the queue at a time')
    this.#accounts.add(commit.accountId)
    return new Promise((resolve, reject) => {
      this.#queue.push({ commit, resolve, reject, busy: 0 })
      if (this.#queue.length >= gatheredCommits) this.#stopGathering()
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isInFlight || this.#gathering !== undefined) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      void this.#run(this.#take())
    })
  }

  #take(): Waiting[] {
    const batch: Waiting[] = []
    let bytes = 0
    while (this.#queue.length > 0 && batch.length < batchCommitsMax) {
      bytes += commitBytes(must(this.#queue[0]).commit)
      if (batch.length > 0 && bytes > batchBytesMax) break
      batch.push(must(this.#queue.shift()))
    }
    return batch
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    this.#isInFlight = true
    const startMs = performance.now()
    try {
      await this.#storeBatch(batch)
    } finally {
      this.#isInFlight = false
      if (batch.length > 1) this.#gather((performance.now() - startMs) / 2)
      if (this.#queue.length > 0) this.#schedule()
    }
  }

  #gather(ms: number): void {
    if (ms < 1 || this.#queue.length >= gatheredCommits) return
    const done = (): void => {
      this.#stopGathering()
      if (this.#queue.length > 0) this.#schedule()
    }
    this.#gathering = setTimeout(done, Math.min(ms, gatherMsMax))
  }

  #stopGathering(): void {
    clearTimeout(this.#gathering)
    this.#gathering = undefined
  }

  async #storeBatch(batch: readonly Waiting[]): Promise<void> {
    metrics.observe('rookery_write_batch_commits', {}, batch.length)
    let outcomes: CommitOutcome[]
    try {
      outcomes = await storeCommits(
        this.#pool,
        batch.map(({ commit }) => commit),
      )
    } catch (error) {
      // What the database refuses may be one commit's fault; a lost connection is nobody's, and may have committed.
      if (batch.length > 1 && isRefusal(error)) {
        for (const waiting of batch) await this.#storeBatch([waiting])
        return
      }
      for (const { commit, reject } of batch) {
        this.#accounts.delete(commit.accountId)
        metrics.add('rookery_write_commits_total', { outcome: 'failed' })
        reject(error)
      }
      return
    }
    if (outcomes.includes('stored')) this.#onStored()
    for (const [index, waiting] of batch.entries()) {
      const outcome = must(outcomes[index])
      metrics.add('rookery_write_commits_total', { outcome })
      if (outcome === 'busy' && waiting.busy++ < busyRetriesMax) {
        setTimeout(() => {
          this.#queue.push(waiting)
          this.#schedule()
        }, busyRetryMs)
        continue
      }
      this.#accounts.delete(waiting.commit.accountId)
      waiting.resolve(outcome)
    }
  }
}

/** Tells whether PostgreSQL answered with an error of the statement (the transaction is rolled back). */
function isRefusal(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  // Classes 08 and 57 are lost connections and shutdowns.
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57)/.test(code)
}
