import { type Cid, cidKey } from '@rookery/syntax'

/** A block and its CID. Neither is ever mutated; the bytes may be a view of a larger buffer: copy what outlives it. */
export type Block = { readonly cid: Cid; readonly bytes: Uint8Array }

/**
 * Blocks by CID, in the order of their first insertion.
 *
 * @example
 * const blocks = new BlockMap(created.newNodes)
 * blocks.get(created.tree.root)
 */
export class BlockMap implements Iterable<Block> {
  readonly #blocks = new Map<string, Block>()

  /** Holds the given blocks from the start. */
  constructor(blocks: Iterable<Block> = []) {
    for (const block of blocks) this.add(block)
  }

  /** How many different blocks there are. */
  get size(): number {
    return this.#blocks.size
  }

  /** Adds a block; one that is already there stays. */
  add(block: Block): void {
    const key = cidKey(block.cid)
    if (!this.#blocks.has(key)) this.#blocks.set(key, block)
  }

  /** Returns the block's bytes, or undefined if it is not here. */
  get(cid: Cid): Uint8Array | undefined {
    return this.#blocks.get(cidKey(cid))?.bytes
  }

  /** Tells whether the block is here. */
  has(cid: Cid): boolean {
    return this.#blocks.has(cidKey(cid))
  }

  /** Yields the blocks in the order in which they came. */
  [Symbol.iterator](): Iterator<Block> {
    return this.#blocks.values()
  }
}

/**
 * Where nodes come from. What it returns must match its CID: the engine does not hash what a store gives it
 * (`readCar` has checked the blocks of a CAR; a database is trusted to return what was stored).
 */
export type BlockStore = {
  /** Returns a block that is at hand without waiting, or undefined. Saves a turn of the event loop per level. */
  readonly peek?: (cid: Cid) => Uint8Array | undefined
  /**
   * Fetches blocks together. May leave out what it lacks, and may return more than was asked for (the rest of a
   * pack): what comes along is used before anything else is asked for.
   */
  readonly getMany: (cids: readonly Cid[]) => Promise<BlockMap>
}

/**
 * Returns a store over blocks in memory.
 *
 * @example
 * const { blocks } = await collectCar(request.body)
 * await loadPaths(openTree(commit.data), paths, memoryStore(blocks))
 */
export function memoryStore(blocks: BlockMap): BlockStore {
  return { peek: (cid) => blocks.get(cid), getMany: () => Promise.resolve(blocks) }
}
