import { type Block, type Tree, loadedNodes } from '@rookery/repo'
import { type Cid, type Tid, cidKey } from '@rookery/syntax'

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
 * commit of another process lies between. Their bytes are the tree's: here is only which they are, and what packs they
 * were written to.
 */
export class MadeNodes {
  readonly #revs = new Map<string, Tid>()
  #since: Tid
  #last: Tid
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
    newNodes: readonly Block[]
    removedNodes: readonly Cid[]
    packBytes: number
  }): void {
    for (const cid of commit.removedNodes) this.#revs.delete(cidKey(cid))
    for (const { cid } of commit.newNodes) this.#revs.set(cidKey(cid), commit.rev)
    if (commit.packBytes === 0) return
    this.#last = commit.rev
    this.#packs++
    this.#packBytes += commit.packBytes
  }

  /** Forgets all of it: what follows is added to a head of this rev. */
  restart(rev: Tid): void {
    this.#revs.clear()
    this.#since = rev
    this.#last = rev
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
    const chunk = new ChunkBuilder()
    let found = 0
    for (const { cid, bytes } of loadedNodes(tree, (cid) => this.#revs.has(cidKey(cid)))) {
      chunk.add({ cid, bytes, rev: this.#revs.get(cidKey(cid)) ?? this.#last })
      found++
    }
    if (found !== this.#revs.size) return undefined
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
