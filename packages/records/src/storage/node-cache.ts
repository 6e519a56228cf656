import { type Cid, cidKey } from '@rookery/syntax'
import { cacheTally } from '@rookery/telemetry'
import { LRUCache } from 'lru-cache'

import { cachedNodeBytesMax } from '../limits.ts'

const tally = cacheTally('nodes')

/**
 * Tree nodes by CID, the least recently used dropped first. Its content is addressed by hash: it can't be stale,
 * and any commit may use what any other has read.
 */
export class NodeCache {
  readonly #nodes: LRUCache<string, Buffer>

  /** @param bytesMax bytes of nodes to keep. Default `cachedNodeBytesMax`. */
  constructor(bytesMax: number = cachedNodeBytesMax) {
    this.#nodes = new LRUCache({ maxSize: bytesMax })
  }

  /** Returns a node, or undefined if it is not here. */
  get(cid: Cid): Buffer | undefined {
    const bytes = this.#nodes.get(cidKey(cid))
    if (bytes === undefined) tally.misses++
    else tally.hits++
    return bytes
  }

  /** Keeps a copy of a node. */
  add(cid: Cid, bytes: Uint8Array): void {
    const key = cidKey(cid)
    if (this.#nodes.has(key)) return
    // A view would keep the whole pack that it came in. Small copies share slabs of the pool, which end together.
    this.#nodes.set(key, Buffer.from(bytes), { size: bytes.length })
  }
}
