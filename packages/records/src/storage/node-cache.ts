import { type Cid, cidKey } from '@rookery/syntax'
import { cacheTally } from '@rookery/telemetry'

import { cachedNodeBytesMax } from '../limits.ts'

const tally = cacheTally('nodes')

/**
 * Tree nodes by CID, the least recently used dropped first. Its content is addressed by hash: it can't be stale,
 * and any commit may use what any other has read.
 */
export class NodeCache {
  readonly #nodes = new Map<string, Buffer>()
  readonly #bytesMax: number
  #bytes = 0

  /** @param bytesMax bytes of nodes to keep. Default `cachedNodeBytesMax`. */
  constructor(bytesMax: number = cachedNodeBytesMax) {
    this.#bytesMax = bytesMax
  }

  /** Returns a node, or undefined if it is not here. */
  get(cid: Cid): Buffer | undefined {
    const key = cidKey(cid)
    const bytes = this.#nodes.get(key)
    if (bytes === undefined) {
      tally.misses++
    } else {
      tally.hits++
      this.#nodes.delete(key)
      this.#nodes.set(key, bytes)
    }
    return bytes
  }

  /** Keeps a copy of a node. */
  add(cid: Cid, bytes: Uint8Array): void {
    const key = cidKey(cid)
    if (this.#nodes.has(key)) return
    // A view would keep the whole pack that it came in. Small copies share slabs of 8 KB, which end together.
    this.#nodes.set(key, Buffer.from(bytes))
    this.#bytes += bytes.length
    if (this.#bytes > this.#bytesMax) this.#drop()
  }

  #drop(): void {
    for (const [oldest, { length }] of this.#nodes) {
      if (this.#bytes <= this.#bytesMax) break
      this.#nodes.delete(oldest)
      this.#bytes -= length
    }
  }
}
