import { must } from '@rookery/std'
import { type Cid, cidForCbor } from '@rookery/syntax'

import type { Block } from './block.ts'
import { InvalidPathError } from './errors.ts'
import { type Subtree, emptyNodeBytes, emptyTreeCid, encodeNode } from './node.ts'
import { checkPath, keyLayer } from './path.ts'

type OpenNode = { keys: string[]; values: Cid[]; children: (Subtree | null)[] }

/**
 * Builds a tree from all its records in ascending order, holding only the right edge in memory: for rebuilding a
 * repo from its records, compaction and imports. Costs about 5 µs per record.
 *
 * @example
 * const builder = new TreeBuilder((node) => nodes.push(node))
 * for (const { path, cid } of records) builder.add(path, cid)
 * const root = builder.finish()
 */
export class TreeBuilder {
  readonly #onNode: (node: Block) => void
  /** The nodes on the right edge by layer; each lacks its last child until a higher key or the end closes it. */
  readonly #open: OpenNode[] = []
  #last = ''

  /** @param onNode is given every node of the tree once, children before parents. */
  constructor(onNode: (node: Block) => void) {
    this.#onNode = onNode
  }

  /**
   * Adds the next record.
   *
   * @throws {InvalidPathError} if the path is malformed or does not follow the previous one.
   * @throws {RepoLimitError} if a node gets too large.
   */
  add(path: string, cid: Cid): void {
    checkPath(path)
    if (path <= this.#last)
      throw new InvalidPathError(`records are out of order: ${path} after ${this.#last}`)
    this.#last = path
    const layer = keyLayer(path)
    const carry = this.#close(layer)
    const node = must(this.#open[layer])
    node.keys.push(path)
    node.values.push(cid)
    node.children.push(carry)
  }

  /** Closes the tree and returns its root, also of a tree without records. The builder is then used up. */
  finish(): Cid {
    const root = this.#close(this.#open.length)
    if (root?.cid) return root.cid
    this.#onNode({ cid: emptyTreeCid, bytes: emptyNodeBytes })
    return emptyTreeCid
  }

  /** Encodes what is open below a layer, opens that layer, and returns what hangs below it. */
  #close(layer: number): Subtree | null {
    let carry: Subtree | null = null
    for (let below = 0; below < layer; below++) {
      const node: OpenNode = this.#open[below] ?? { keys: [], values: [], children: [] }
      this.#open[below] = { keys: [], values: [], children: [] }
      if (node.keys.length === 0 && carry === null) continue
      node.children.push(carry)
      const bytes = encodeNode(node)
      const cid = cidForCbor(bytes)
      this.#onNode({ cid, bytes })
      carry = { cid, node: undefined, rev: undefined }
    }
    this.#open[layer] ??= { keys: [], values: [], children: [] }
    return carry
  }
}
