import type { Queryable } from '@rookery/db'
import { BlockMap, type BlockStore } from '@rookery/repo'
import { type Cid, type Tid, cidKey } from '@rookery/syntax'

import type { NodeCache } from './node-cache.ts'
import { type Directory, type PackedNode, readDirectory, readPack } from './pack.ts'
import { type RepoPacks, firstChunk, loadChunks, loadPacks } from './storage-queries.ts'

export type StoredNodesOptions = {
  /** Shared with other repos and commits. Default none. */
  cache?: NodeCache
  /** What was loaded with the head. Default: loaded when the first node is missed. */
  packs?: RepoPacks
  /** Chunks to keep at hand; a walk needs few, as it goes through the keys in order. Default all. */
  chunksMax?: number
}

/**
 * The tree nodes of one repo: from the cache, from the packs since the last compaction, and from the chunks of the
 * base pack, each read when a node in it is asked for. A node that a compaction has moved meanwhile is not found:
 * the caller loads the repo anew. Lives as long as one commit, read or walk.
 */
export class StoredNodes implements BlockStore {
  readonly #db: Queryable
  readonly #accountId: number
  readonly #cache: NodeCache | undefined
  readonly #chunksMax: number
  /** Nodes of the directory and of the deltas, with the last rev that introduced each. */
  #recent: Map<string, PackedNode> | undefined
  #directory: Directory | undefined
  /** Nodes of the chunks read, the oldest first. */
  readonly #chunks = new Map<number, Map<string, PackedNode>>()
  /** Revs of the nodes that the last fetch returned: their chunks may be dropped before they are looked at. */
  #revs = new Map<string, Tid>()

  constructor(db: Queryable, accountId: number, options: StoredNodesOptions = {}) {
    this.#db = db
    this.#accountId = accountId
    this.#cache = options.cache
    this.#chunksMax = options.chunksMax ?? Number.POSITIVE_INFINITY
    if (options.packs !== undefined) this.#read(options.packs)
  }

  /** Returns a node that is at hand, or undefined. */
  peek(cid: Cid): Uint8Array | undefined {
    const cached = this.#cache?.get(cid)
    if (cached !== undefined) return cached
    const bytes = this.#find(cid)?.bytes
    if (bytes !== undefined) this.#cache?.add(cid, bytes)
    return bytes
  }

  /** Fetches nodes together; those that are nowhere are left out. */
  async getMany(cids: readonly Cid[]): Promise<BlockMap> {
    if (this.#recent === undefined) this.#read(await loadPacks(this.#db, this.#accountId))
    this.#revs = new Map()
    const found = new BlockMap()
    let missing = this.#collect(cids, found)
    const numbers = this.#directory?.chunksOf(missing).filter((number) => !this.#chunks.has(number)) ?? []
    // One at a time past the bound, so that a walk holds few even when it asks for many.
    const step = Math.min(numbers.length, this.#chunksMax)
    for (let i = 0; i < numbers.length && missing.length > 0; i += step) {
      await this.#fetch(numbers.slice(i, i + step))
      missing = this.#collect(missing, found)
    }
    return found
  }

  /** Returns the rev that introduced a node which is at hand, or undefined. Knows nothing of cached nodes. */
  revOf(cid: Cid): Tid | undefined {
    return this.#find(cid)?.rev ?? this.#revs.get(cidKey(cid))
  }

  async #fetch(numbers: readonly number[]): Promise<void> {
    const rows = await loadChunks(
      this.#db,
      this.#accountId,
      numbers.map((number) => number + firstChunk),
    )
    for (const { chunk, bytes } of rows) {
      const nodes = new Map<string, PackedNode>()
      readPack(bytes, (node) => nodes.set(cidKey(node.cid), node))
      this.#chunks.set(chunk - firstChunk, nodes)
    }
    for (const [number] of this.#chunks) {
      if (this.#chunks.size <= this.#chunksMax) break
      this.#chunks.delete(number)
    }
  }

  #read(packs: RepoPacks): void {
    const nodes = new Map<string, PackedNode>()
    const visit = (node: PackedNode): void => {
      nodes.set(cidKey(node.cid), node)
    }
    if (packs.directory !== undefined) this.#directory = readDirectory(packs.directory, visit)
    // Oldest first: a node that came back has the rev of its return.
    for (const delta of packs.deltas) readPack(delta, visit)
    this.#recent = nodes
  }

  #find(cid: Cid): PackedNode | undefined {
    const key = cidKey(cid)
    const recent = this.#recent?.get(key)
    if (recent !== undefined) return recent
    for (const nodes of this.#chunks.values()) {
      const node = nodes.get(key)
      if (node !== undefined) return node
    }
    return undefined
  }

  /** Adds what is at hand to `found` and returns the rest. */
  #collect(cids: readonly Cid[], found: BlockMap): Cid[] {
    return cids.filter((cid) => {
      const node = this.#find(cid)
      const bytes = node?.bytes ?? this.#cache?.get(cid)
      if (bytes === undefined) return true
      if (node !== undefined) this.#revs.set(cidKey(cid), node.rev)
      this.#cache?.add(cid, bytes)
      found.add({ cid, bytes })
      return false
    })
  }
}
