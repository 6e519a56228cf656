import type pg from 'pg'

import { readNextTransaction, readLastQueueId, readQueue } from './sequencer-queries.ts'

/**
 * A queue id up to which nothing is left and nothing will come, so that rounds need not pass over rows that were
 * taken: while a snapshot is held, by an export or a backup, vacuum cannot remove them.
 *
 * Ids become visible out of order, so what was seen is no measure. But whoever takes one holds its repo's row and so
 * has a transaction id: those with an id up to the sequence's last value have a transaction id below the next one
 * that is seen after it. When none of these runs any more, what they committed is visible, and what is not in the
 * queue then never will be.
 */
export class QueueFloor {
  #afterId = 0
  #mark: { id: number; nextTransaction: number } | undefined

  /** Rows that will ever be numbered have a higher id. */
  get afterId(): number {
    return this.#afterId
  }

  /** Raises the floor if it can, and begins to wait for the transactions of now. */
  async raise(client: pg.ClientBase): Promise<void> {
    const { oldestTransaction, oldestId } = await readQueue(client, this.#afterId)
    if (this.#mark && oldestTransaction >= this.#mark.nextTransaction) {
      this.#afterId = Math.min(this.#mark.id, oldestId === null ? Infinity : oldestId - 1)
      this.#mark = undefined
    }
    if (this.#mark) return
    const id = await readLastQueueId(client)
    this.#mark = { id, nextTransaction: await readNextTransaction(client) }
  }
}
