import { LRUCache } from 'lru-cache'

import { websocketFrames } from '../frames/websocket-frame.ts'
import { logCacheBytesMax, logPageBytesMax, logPageRowsMax } from '../limits.ts'
import { listHostEvents, type LogPool } from './log-queries.ts'

/** Consecutive events of one host out of the log. */
export type LogPage = {
  /** Whole WebSocket messages, joined; empty if the log had none. */
  bytes: Buffer
  /** Everything of the host up to here is in the page or comes before it. */
  throughSeq: number
}

/**
 * Pages of the log as they go to subscribers. Subscribers at the same position share one: while it is read, and
 * afterwards if it was full, because the log never changes below its end. Positions meet by themselves: whoever
 * has a page from somewhere within it goes on where it ends.
 */
export class LogPages {
  readonly #pool: LogPool
  /** A page that is still being read counts as one byte. */
  readonly #pages = new LRUCache<string, Promise<LogPage>>({ maxSize: logCacheBytesMax })

  constructor(pool: LogPool) {
    this.#pool = pool
  }

  /**
   * Returns the host's events after a position, as many as a page takes.
   *
   * @param headSeq a seq that the log is known to have reached: where a page ends that is not full.
   * @throws {Error} if Postgres does not answer.
   */
  after(hostId: number, position: number, headSeq: number): Promise<LogPage> {
    const key = `${hostId} ${position}`
    const known = this.#pages.get(key)
    if (known !== undefined) return known
    const page = this.#read(key, { hostId, position, headSeq })
    this.#pages.set(key, page, { size: 1 })
    return page
  }

  async #read(key: string, from: { hostId: number; position: number; headSeq: number }): Promise<LogPage> {
    const { hostId, position, headSeq } = from
    let isFull = false
    try {
      const bounds = { afterSeq: position, rowsMax: logPageRowsMax, bytesMax: logPageBytesMax }
      const events = await listHostEvents(this.#pool, hostId, bounds)
      const bytes = websocketFrames(events.map(({ frame }) => frame))
      isFull = events.length === logPageRowsMax || bytes.length >= logPageBytesMax
      const page = { bytes, throughSeq: events.at(-1)?.seq ?? Math.max(position, headSeq) }
      // A promise of its own: a value that is set again keeps the size it had.
      if (isFull) this.#pages.set(key, Promise.resolve(page), { size: bytes.length })
      return page
    } finally {
      if (!isFull) this.#pages.delete(key)
    }
  }
}
