import { type Tree, trimTree } from '@rookery/repo'
import { cacheTally } from '@rookery/telemetry'
import { LRUCache } from 'lru-cache'

import { cachedNodesPerTree, cachedNodesPerTreeMax, cachedTreeNodesMax, unjoinedPacksMax } from '../limits.ts'
import type { PackGrowth } from '../storage/compact.ts'
import type { MadeNodes } from '../storage/made-nodes.ts'
import type { WriteHead } from '../storage/storage-queries.ts'

const tally = cacheTally('heads')

/** A head that was current when it was read or written here, and its tree as far as commits have loaded it. */
export type CachedHead = {
  readonly head: WriteHead
  readonly tree: Tree
  /** One object for all heads of the repo that follow each other here; the numbers in `head` are those it was read with. */
  readonly growth: PackGrowth
  /** Likewise one object: what has been written here since the first of them. */
  readonly made: MadeNodes
}

/**
 * Heads by account, the least recently used dropped first. An entry may be stale at any time: another process may
 * have moved the head. That costs a failed compare and a reload, nothing else.
 */
export class HeadCache {
  readonly #heads: LRUCache<number, CachedHead>

  /** @param nodesMax nodes of their trees to keep, and one for each head. Default `cachedTreeNodesMax`. */
  constructor(nodesMax: number = cachedTreeNodesMax) {
    this.#heads = new LRUCache({ maxSize: nodesMax })
  }

  /** Returns a head, or undefined if none is kept. */
  get(accountId: number): CachedHead | undefined {
    const entry = this.#heads.get(accountId)
    if (entry === undefined) tally.misses++
    else tally.hits++
    return entry
  }

  /**
   * Keeps a head; the caller knows that it is committed. Of a tree of many nodes only those along its last path are kept.
   *
   * @returns what is kept.
   */
  set(entry: CachedHead, lastPath: string): CachedHead {
    const { head, tree, made } = entry
    const nodesMax = made.packs > unjoinedPacksMax ? cachedNodesPerTreeMax : cachedNodesPerTree
    const kept = tree.nodes > nodesMax ? { ...entry, tree: trimTree(tree, lastPath) } : entry
    this.#heads.set(head.accountId, kept, { size: kept.tree.nodes + 1 })
    return kept
  }

  /** Counts a kept tree's nodes again after a plan has looked at more of it; forgets the head if they are too many. */
  recount(accountId: number): void {
    const entry = this.#heads.peek(accountId)
    if (entry === undefined) return
    const { nodes } = entry.tree
    if (nodes > cachedNodesPerTreeMax) this.#heads.delete(accountId)
    // A copy: the cache does not look at the size of what it has already.
    else this.#heads.set(accountId, { ...entry }, { size: nodes + 1 })
  }

  /** Forgets a head. */
  delete(accountId: number): void {
    this.#heads.delete(accountId)
  }
}
