import { must } from '@rookery/std'
import { type Cid, cidEquals, cidKey } from '@rookery/syntax'

import type { RepoOp } from './apply-ops.ts'
import type { Block, BlockStore } from './block.ts'
import { MissingBlockError } from './errors.ts'
import { type Place, decodeNode, encodeNode, placeNode } from './node.ts'
import { type Tree, topPlace } from './tree.ts'
import { Budget, type TreeLimits } from './walk-tree.ts'

/** One difference between two trees: first all of the records, in ascending order of paths, then the nodes. */
export type TreeChange =
  | ({ readonly kind: 'record' } & RepoOp)
  | { readonly kind: 'newNode'; readonly block: Block }
  | { readonly kind: 'removedNode'; readonly cid: Cid }

/** The item that a cursor stands on: a record, or a subtree that was not entered. */
type Slot = { path: string; cid: Cid; place?: undefined } | { path?: undefined; cid: Cid; place: Place }

/**
 * Compares two trees: the records that were created, updated and deleted, and the nodes that only one of them has.
 * Reads only the nodes in which they differ and those beside them, so it costs what changed, not what is there;
 * memory grows with the number of differing nodes. For incremental imports, whose store is the CAR's blocks over
 * the repo's own.
 *
 * @throws {MissingBlockError} if the store lacks a node in which the trees differ.
 * @throws {InvalidNodeError} if such a node is malformed or in the wrong place.
 * @throws {RepoLimitError} past one of the limits, which count both trees.
 * @example
 * const changes = diffTrees({ before: openTree(head.data), after: openTree(commit.data, { foreign: true }), store })
 * for await (const change of changes) if (change.kind === 'record') stage(change)
 */
export async function* diffTrees(options: {
  before: Tree
  after: Tree
  store: BlockStore
  limits?: Partial<TreeLimits>
}): AsyncGenerator<TreeChange, void> {
  const budget = new Budget(options.limits)
  const before = new Cursor(options.before, options.store, budget)
  const after = new Cursor(options.after, options.store, budget)
  for (;;) {
    const [old, now] = [before.slot, after.slot]
    if (!old && !now) break
    if (old?.place && now?.place && cidEquals(old.cid, now.cid)) {
      before.skip()
      after.skip()
    } else if (old?.place || now?.place) {
      await enterHigher(before, after)
    } else {
      const change = compareRecords(before, after, budget)
      if (change) yield { kind: 'record', ...change }
    }
  }
  for (const [key, block] of after.entered) if (!before.entered.has(key)) yield { kind: 'newNode', block }
  for (const [key, { cid }] of before.entered) if (!after.entered.has(key)) yield { kind: 'removedNode', cid }
}

/** Enters the subtree that one stands on, or the higher of two; equal ones then meet on the same layer. */
async function enterHigher(before: Cursor, after: Cursor): Promise<void> {
  const old = before.layer
  const now = after.layer
  if (old !== undefined && (now === undefined || old >= now)) await before.enter()
  if (now !== undefined && (old === undefined || now >= old)) await after.enter()
}

/** Compares the records that the cursors stand on and moves past the lower one, or both. */
function compareRecords(before: Cursor, after: Cursor, budget: Budget): RepoOp | undefined {
  const old = before.slot
  const now = after.slot
  if (old?.path !== undefined && (now?.path === undefined || old.path < now.path)) {
    before.skip()
    budget.record()
    return { action: 'delete', path: old.path, cid: null, prev: old.cid }
  }
  if (now?.path !== undefined && (old?.path === undefined || now.path < old.path)) {
    after.skip()
    budget.record()
    return { action: 'create', path: now.path, cid: now.cid, prev: null }
  }
  before.skip()
  after.skip()
  if (now?.path === undefined || !old || cidEquals(old.cid, now.cid)) return undefined
  budget.record()
  return { action: 'update', path: now.path, cid: now.cid, prev: old.cid }
}

/** A place in a tree, in ascending order; it stands before a subtree until it enters or skips it. */
class Cursor {
  readonly #tree: Tree
  readonly #store: BlockStore
  readonly #budget: Budget
  readonly #ahead: Slot[]
  /** The nodes that were entered, by CID. */
  readonly entered = new Map<string, Block>()

  constructor(tree: Tree, store: BlockStore, budget: Budget) {
    this.#tree = tree
    this.#store = store
    this.#budget = budget
    this.#ahead = [{ cid: tree.root, place: topPlace }]
  }

  /** What it stands on; undefined at the end. */
  get slot(): Slot | undefined {
    return this.#ahead.at(-1)
  }

  /** The layer of the subtree that it stands on, the root above all; undefined on a record and at the end. */
  get layer(): number | undefined {
    const place = this.slot?.place
    return place && (place.layer ?? Number.POSITIVE_INFINITY)
  }

  /** Moves past the record or the whole subtree. */
  skip(): void {
    this.#ahead.pop()
  }

  /** Moves to the first slot of the subtree that it stands on. */
  async enter(): Promise<void> {
    const slot = this.#ahead.pop()
    if (!slot?.place) return
    const { cid, place } = slot
    const bytes = await this.#load(cid)
    this.#budget.node(bytes)
    this.entered.set(cidKey(cid), { cid, bytes })
    const { keys, values, children, layer } = placeNode(decodeNode(bytes), place, this.#tree.foreign)
    for (let i = keys.length; i >= 0; i--) {
      const child = children[i]
      if (child?.cid) {
        const low = keys[i - 1] ?? place.low
        const high = keys[i] ?? place.high
        this.#ahead.push({ cid: child.cid, place: { layer: layer - 1, low, high } })
      }
      const path = keys[i - 1]
      if (path !== undefined) this.#ahead.push({ path, cid: must(values[i - 1]) })
    }
  }

  async #load(cid: Cid): Promise<Uint8Array> {
    const { top } = this.#tree
    if (!top.cid && top.node) return encodeNode(top.node)
    const bytes = this.#store.peek?.(cid) ?? (await this.#store.getMany([cid])).get(cid)
    if (!bytes) throw new MissingBlockError(cid)
    return bytes
  }
}
