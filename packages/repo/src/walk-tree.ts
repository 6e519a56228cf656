import { must } from '@rookery/std'
import { type Cid, cidKey } from '@rookery/syntax'

import { BlockMap, type BlockStore } from './block.ts'
import { MissingBlockError, RepoLimitError } from './errors.ts'
import { treeBytesMax, treeNodesMax, treeRecordsMax, walkBatchNodes } from './limits.ts'
import { type Node, type Place, decodeNode, encodeNode, placeNode } from './node.ts'
import { type Tree, topPlace } from './tree.ts'

/** Bounds of one walk or diff; each defaults to the constant of the same name. */
export type TreeLimits = {
  /** Most nodes visited. */
  treeNodesMax: number
  /** Most bytes of nodes read. */
  treeBytesMax: number
  /** Most records yielded. */
  treeRecordsMax: number
}

/** A part of the tree's keys: from `from` (included) to `to` (left out), each open if not given. */
export type PathRange = { readonly from?: string; readonly to?: string }

/** What a walk comes by. */
export type TreeItem =
  | { readonly kind: 'node'; readonly cid: Cid; readonly bytes: Uint8Array; readonly layer: number }
  | { readonly kind: 'record'; readonly path: string; readonly cid: Cid }

/** What is still ahead, the next on top: a record, or a node and its place. */
type Ahead = { kind: 'record'; path: string; cid: Cid } | { kind: 'node'; cid: Cid; place: Place }

/**
 * Walks the tree in the order in which an export streams it (SPEC CAR-4): each node, then its slots from left to
 * right, subtrees and records; records come in ascending order of their paths. Every node is checked for its form
 * and place, so a walk of a tree opened as `foreign` is the full structural check of SPEC MST-9. Nodes are fetched
 * in batches and not kept: memory is bounded by the tree's depth. With a store that has everything at hand it
 * never waits; a caller that shares the event loop pauses now and then itself.
 *
 * Answering a node with 'skip' (`walk.next('skip')`) leaves out what hangs below it.
 *
 * @param options.range walks only the nodes and records of a part of the keys: those nodes prove its completeness.
 * @throws {MissingBlockError} if the store lacks a node.
 * @throws {InvalidNodeError} if a node is malformed or in the wrong place.
 * @throws {RepoLimitError} past one of the limits.
 * @example
 * for await (const item of walkTree(openTree(commit.data, { foreign: true }), store)) {
 *   if (item.kind === 'record') stage(item.path, item.cid)
 * }
 */
export async function* walkTree(
  tree: Tree,
  store: BlockStore,
  options: WalkOptions = {},
): AsyncGenerator<TreeItem, void, 'skip' | undefined> {
  const walk = new TreeWalk(tree, store, options)
  for (let item = walk.next(); item; item = walk.next()) {
    if (item === 'wait') await walk.fetch()
    else if ((yield item) === 'skip') walk.skip()
  }
}

/** What a walk goes through, and how far. */
export type WalkOptions = { range?: PathRange; limits?: Partial<TreeLimits> }

/**
 * A walk as `walkTree` does it, step by step: it only waits where nodes have to be fetched, which for large trees
 * costs half of what an iteration does that may wait at every item.
 *
 * @example
 * for (let item = walk.next(); item; item = walk.next()) {
 *   if (item === 'wait') await walk.fetch()
 *   else write(item)
 * }
 */
export class TreeWalk {
  readonly #isForeign: boolean
  readonly #range: PathRange
  readonly #budget: Budget
  readonly #reader: ReadAhead
  readonly #ahead: Ahead[] = []
  /** The node that was returned last: its slots are next. */
  #entered: { node: Node; place: Place } | undefined
  /** The root of a tree that was made in memory. */
  #made: TreeItem | undefined

  /** Stands before the root. */
  constructor(tree: Tree, store: BlockStore, { range = {}, limits }: WalkOptions = {}) {
    this.#isForeign = tree.foreign
    this.#range = range
    this.#budget = new Budget(limits)
    this.#reader = new ReadAhead(store)
    const { cid, node } = tree.top
    if (!cid && node) this.#made = { kind: 'node', cid: tree.root, bytes: encodeNode(node), layer: 0 }
    else this.#ahead.push({ kind: 'node', cid: tree.root, place: topPlace })
  }

  /**
   * Returns the next item, undefined after the last, or 'wait' if the next is a node that is not at hand: `fetch` it.
   *
   * @throws {InvalidNodeError} if a node is malformed or in the wrong place.
   * @throws {RepoLimitError} past one of the limits.
   */
  next(): TreeItem | 'wait' | undefined {
    if (this.#made) {
      const made = this.#made
      this.#made = undefined
      return made
    }
    if (this.#entered) pushSlots(this.#ahead, this.#entered.node, this.#entered.place, this.#range)
    this.#entered = undefined
    const next = this.#ahead.pop()
    if (next === undefined) return undefined
    if (next.kind === 'record') {
      this.#budget.record()
      return next
    }
    const { cid, place } = next
    const bytes = this.#reader.find(cid)
    if (bytes === undefined) {
      this.#ahead.push(next)
      return 'wait'
    }
    this.#budget.node(bytes)
    const node = placeNode(decodeNode(bytes), place, this.#isForeign)
    this.#entered = { node, place }
    return { kind: 'node', cid, bytes, layer: node.layer }
  }

  /**
   * Fetches the node that `next` waits for, and those that it comes to soon.
   *
   * @throws {MissingBlockError} if the store lacks it.
   */
  async fetch(): Promise<void> {
    await this.#reader.fetch(this.#ahead)
  }

  /** Leaves out what hangs below the node that was returned last. */
  skip(): void {
    this.#entered = undefined
  }
}

/**
 * Lists the records of the tree, or of a range of it, in ascending order of their paths; see `walkTree`.
 *
 * @throws {MissingBlockError} if the store lacks a node.
 * @throws {InvalidNodeError} if a node is malformed or in the wrong place.
 * @throws {RepoLimitError} past one of the limits.
 * @example
 * for await (const { path, cid } of listRecords(tree, store, { range: collectionRange('app.bsky.feed.post') })) …
 */
export async function* listRecords(
  tree: Tree,
  store: BlockStore,
  options: WalkOptions = {},
): AsyncGenerator<{ path: string; cid: Cid }, void> {
  const walk = new TreeWalk(tree, store, options)
  for (let item = walk.next(); item; item = walk.next()) {
    if (item === 'wait') await walk.fetch()
    else if (item.kind === 'record') yield { path: item.path, cid: item.cid }
  }
}

/**
 * Returns the range of a collection's paths.
 *
 * @example
 * collectionRange('app.bsky.feed.post') // { from: 'app.bsky.feed.post/', to: 'app.bsky.feed.post0' }
 */
export function collectionRange(collection: string): PathRange {
  // '0' is the character that follows '/'.
  return { from: `${collection}/`, to: `${collection}0` }
}

/** Counts what a walk reads. */
export class Budget {
  readonly #limits: TreeLimits
  #nodes = 0
  #bytes = 0
  #records = 0

  constructor(limits: Partial<TreeLimits> = {}) {
    this.#limits = { treeNodesMax, treeBytesMax, treeRecordsMax, ...limits }
  }

  /** Counts a node. */
  node(bytes: Uint8Array): void {
    this.#nodes++
    this.#bytes += bytes.length
    this.#check('treeNodesMax', this.#nodes)
    this.#check('treeBytesMax', this.#bytes)
  }

  /** Counts a record. */
  record(): void {
    this.#records++
    this.#check('treeRecordsMax', this.#records)
  }

  #check(limit: keyof TreeLimits, count: number): void {
    if (count > this.#limits[limit]) throw new RepoLimitError(limit, this.#limits[limit])
  }
}

/** Fetches nodes ahead of a walk, each once, and lets go of them as they are used. */
class ReadAhead {
  readonly #store: BlockStore
  /** Fetched and not used yet: at most a batch per layer of the tree. */
  readonly #waiting = new Map<string, Uint8Array>()
  /** What the last fetch gave, with what came along. */
  #latest = new BlockMap()

  constructor(store: BlockStore) {
    this.#store = store
  }

  /** Takes a node that is at hand. */
  find(cid: Cid): Uint8Array | undefined {
    const key = cidKey(cid)
    const waiting = this.#waiting.get(key)
    this.#waiting.delete(key)
    return waiting ?? this.#latest.get(cid) ?? this.#store.peek?.(cid)
  }

  /** Fetches the node on top of the stack and, in the same turn, the next ones that the walk will come to. */
  async fetch(ahead: readonly Ahead[]): Promise<void> {
    const cids: Cid[] = []
    for (let i = ahead.length - 1; i >= 0 && cids.length < walkBatchNodes; i--) {
      const item = must(ahead[i])
      if (item.kind === 'node' && !this.#waiting.has(cidKey(item.cid))) cids.push(item.cid)
    }
    this.#latest = await this.#store.getMany(cids)
    for (const cid of cids) {
      const bytes = this.#latest.get(cid)
      if (bytes) this.#waiting.set(cidKey(cid), bytes)
    }
    const [first] = cids
    if (first && !this.#latest.has(first)) throw new MissingBlockError(first)
  }
}

/** Puts a node's slots on the stack, the last first, without the ones out of range. */
function pushSlots(ahead: Ahead[], node: Node, place: Place, range: PathRange): void {
  const { keys, values, children } = node
  const layer = node.layer - 1
  const { from = '', to } = range
  for (let i = keys.length; i >= 0; i--) {
    const low = keys[i - 1] ?? place.low
    const high = keys[i] ?? place.high
    const child = children[i]
    // The keys of a subtree lie strictly between low and high.
    const outside =
      (high !== undefined && high <= from) || (low !== undefined && to !== undefined && low >= to)
    if (child?.cid && !outside) ahead.push({ kind: 'node', cid: child.cid, place: { layer, low, high } })
    const path = keys[i - 1]
    if (path !== undefined && path >= from && (to === undefined || path < to)) {
      ahead.push({ kind: 'record', path, cid: must(values[i - 1]) })
    }
  }
}
