import { type RemovedNode, type Tree, nodesSince } from '@rookery/repo'
import type { Tid } from '@rookery/syntax'

import { ChunkBuilder } from './pack.ts'

/** One delta for several: those between two revs, which together have as many bytes as `packBytes`. */
export type JoinedDelta = {
  /** Above this rev and up to `rev` lie the deltas that it takes the place of. */
  readonly since: Tid
  readonly rev: Tid
  readonly packs: number
  readonly packBytes: number
  readonly bytes: Buffer
}

/**
 * The nodes that commits of this process have added to a repo's tree since a rev, as far as the tree still has them. No
 * commit of another process lies between. The nodes themselves are the tree's: here is only how many there are, and what
 * packs they were written to.
 */
export class MadeNodes {
  #since: Tid
  #last: Tid
  #nodes = 0
  #packs = 0
  #packBytes = 0

  /** @param since rev of the head that the first commit follows. */
  constructor(since: Tid) {
    this.#since = since
    this.#last = since
  }

  /** How many packs hold them. */
  get packs(): number {
    return this.#packs
  }

  /** Notes a commit that was stored. */
  add(commit: {
    rev: Tid
    newNodes: readonly unknown[]
    removedNodes: readonly RemovedNode[]
    packBytes: number
  }): void {
    this.#nodes += commit.newNodes.length
    for (const { rev } of commit.removedNodes) if (rev !== undefined && rev > this.#since) this.#nodes--
    if (commit.packBytes === 0) return
    this.#last = commit.rev
    this.#packs++
    this.#packBytes += commit.packBytes
  }

  /** Forgets all of it: what follows is added to a head of this rev. */
  restart(rev: Tid): void {
    this.#since = rev
    this.#last = rev
    this.#nodes = 0
    this.#packs = 0
    this.#packBytes = 0
  }

  /**
   * Returns one delta with the nodes that are left, each with the rev that introduced it; undefined if there are no two
   * packs, or if the tree was not loaded by the commits noted here.
   *
   * @param tree as the last commit noted left it.
   */
  join(tree: Tree): JoinedDelta | undefined {
    if (this.#packs < 2) return undefined
    const nodes = nodesSince(tree, this.#since)
    if (nodes.length !== this.#nodes) return undefined
    const chunk = new ChunkBuilder()
    for (const node of nodes) chunk.add(node)
    return {
      since: this.#since,
      rev: this.#last,
      packs: this.#packs,
      packBytes: this.#packBytes,
      bytes: chunk.finish().bytes,
    }
  }

  /** Notes that the delta is stored in the place of the others. */
  joined({ since, packs, packBytes, bytes }: JoinedDelta): void {
    // Begun anew meanwhile.
    if (since !== this.#since) return
    this.#packs -= packs - 1
    this.#packBytes -= packBytes - bytes.length
  }
}
