import { type Cid, type Tid, cidForCbor } from '@rookery/syntax'

import type { Block, BlockMap, BlockStore } from './block.ts'
import { MissingBlockError } from './errors.ts'
import {
  type Node,
  type Place,
  type Subtree,
  decodeNode,
  emptyNode,
  emptyTreeCid,
  encodeNode,
  lowerBound,
  placeNode,
} from './node.ts'

/**
 * A repo's tree as of one commit: immutable, loaded as far as something needed it. Trees made from one another
 * share their nodes. Loading more of a shared node is the only change that ever happens to it, so a tree may be
 * used by several readers and as the base of several edits at once.
 */
export type Tree = {
  /** The CID that a commit's `data` names. */
  readonly root: Cid
  /** The root's node; private to this package. */
  readonly top: Subtree
  /** Whether the nodes come from elsewhere, so that the layer of every key is checked as it is loaded. */
  readonly foreign: boolean
  /**
   * How many of its nodes are in memory, about 2 KB each. Grows as paths are loaded into it; what is loaded into another
   * tree that shares nodes with it is not counted.
   */
  nodes: number
}

/**
 * Returns the tree of a repo, with nothing loaded.
 *
 * @param options.foreign checks the layer of every key as it is loaded: for blocks that this engine has neither
 *   made nor verified. Default false.
 * @example
 * const tree = openTree(head.data)
 * await loadPaths(tree, ['app.bsky.feed.post/3jqfcqzm3fo2j'], store)
 */
export function openTree(root: Cid, options: { foreign?: boolean } = {}): Tree {
  return {
    root,
    top: { cid: root, node: undefined, rev: undefined },
    foreign: options.foreign ?? false,
    nodes: 0,
  }
}

/**
 * Returns the tree without records that a new repo starts from. Its single node counts as not stored: the first
 * `applyOps` on it returns all nodes of the result as new.
 *
 * @example
 * const { tree, newNodes } = applyOps(emptyTree(), [])
 */
export function emptyTree(): Tree {
  return {
    root: emptyTreeCid,
    top: { cid: undefined, node: emptyNode, rev: undefined },
    foreign: false,
    nodes: 0,
  }
}

/**
 * Returns the CID of the record at a path, or undefined if there is none. The path must be loaded.
 *
 * @throws {MissingBlockError} if a node on the way is not loaded.
 * @example
 * await loadPaths(tree, [path], store)
 * const cid = findRecord(tree, path)
 */
export function findRecord(tree: Tree, path: string): Cid | undefined {
  let subtree: Subtree | null | undefined = tree.top
  while (subtree) {
    const node = loaded(subtree)
    const index = lowerBound(node.keys, path)
    if (node.keys[index] === path) return node.values[index]
    subtree = node.children[index]
  }
  return undefined
}

/**
 * Loads what `applyOps`, `findRecord` and `pathProof` need for these paths: every node whose range of keys holds
 * or borders on one of them. All that is missing on one level is fetched together; a store that returns whole
 * packs, or has the nodes at hand (`peek`), is asked once or never.
 *
 * @throws {MissingBlockError} if the store lacks a node.
 * @throws {InvalidNodeError} if a node is malformed or in the wrong place.
 * @throws {RepoLimitError} if a node is too large.
 * @example
 * await loadPaths(tree, ops.map((op) => op.path), store)
 */
export async function loadPaths(tree: Tree, paths: Iterable<string>, store: BlockStore): Promise<void> {
  const wanted = [...paths]
  const fetched: BlockMap[] = []
  const peek = (cid: Cid) => {
    for (let i = fetched.length - 1; i >= 0; i--) {
      const bytes = fetched[i]?.get(cid)
      if (bytes) return bytes
    }
    return store.peek?.(cid)
  }
  for (;;) {
    const missing = loadFrom(tree, wanted, peek)
    if (missing.length === 0) return
    const blocks = await store.getMany(missing)
    const absent = missing.find((cid) => !blocks.has(cid))
    if (absent) throw new MissingBlockError(absent)
    fetched.push(blocks)
  }
}

/**
 * Returns the nodes from the root to a path: with the commit and the record they prove that the record is there;
 * without a record, that there is none (`com.atproto.sync.getRecord`). The path must be loaded.
 *
 * @throws {MissingBlockError} if a node on the way is not loaded.
 * @example
 * await loadPaths(tree, [path], store)
 * const car = encodeCar(commit.cid, [commit, ...pathProof(tree, path), record])
 */
export function pathProof(tree: Tree, path: string): Block[] {
  const blocks: Block[] = []
  let subtree: Subtree | null | undefined = tree.top
  while (subtree) {
    const node = loaded(subtree)
    blocks.push(blockOf(subtree, node))
    const index = lowerBound(node.keys, path)
    if (node.keys[index] === path) break
    subtree = node.children[index]
  }
  return blocks
}

/**
 * Returns the tree without the loaded nodes that `loadPaths` would not load for a path: so much is worth keeping for a
 * next commit near it. The given tree stays as it is.
 *
 * @example
 * const kept = applied.tree.nodes > 128 ? trimTree(applied.tree, path) : applied.tree
 */
export function trimTree(tree: Tree, path: string): Tree {
  const touched = new Set<Subtree>()
  visitTouched(tree.top, topPlace, path, (subtree) => {
    if (subtree.node) touched.add(subtree)
    return subtree.node
  })
  const copy = (subtree: Subtree): Subtree => {
    const { cid, node, rev } = subtree
    if (!node || !touched.has(subtree)) return { cid, node: undefined, rev }
    return { cid, node: { ...node, children: node.children.map((child) => child && copy(child)) }, rev }
  }
  return { ...tree, top: copy(tree.top), nodes: touched.size }
}

/**
 * Returns the nodes that commits above a rev have made, parents first, as far as the tree has seen those commits: it was
 * made by `applyOps` from one that was opened before them.
 *
 * @example
 * for (const { cid, rev, bytes } of nodesSince(tree, joinedRev)) chunk.add({ cid, rev, bytes })
 */
export function nodesSince(tree: Tree, since: Tid): (Block & { readonly rev: Tid })[] {
  const found: (Block & { readonly rev: Tid })[] = []
  const visit = (subtree: Subtree): void => {
    const { node, rev } = subtree
    // What hangs below an older node is older.
    if (!node || rev === undefined || rev <= since) return
    found.push({ ...blockOf(subtree, node), rev })
    for (const child of node.children) if (child) visit(child)
  }
  visit(tree.top)
  return found
}

/**
 * Visits every subtree whose range of keys holds the key or borders on it, parents first: the path to the key and,
 * if the key is there, the right edge of what is left of it and the left edge of what is right of it. These are
 * the nodes that adding, deleting or proving the key and its neighbours can touch (SPEC DIFF-3).
 *
 * @param visit returns the subtree's node, or undefined to go no deeper there.
 */
export function visitTouched(
  subtree: Subtree,
  place: Place,
  key: string,
  visit: (subtree: Subtree, place: Place) => Node | undefined,
): void {
  const node = visit(subtree, place)
  if (!node) return
  const index = lowerBound(node.keys, key)
  const next = node.keys[index]
  const layer = node.layer - 1
  const left = node.children[index]
  if (left)
    visitTouched(
      left,
      { layer, low: node.keys[index - 1] ?? place.low, high: next ?? place.high },
      key,
      visit,
    )
  const right = next === key ? node.children[index + 1] : null
  if (right) visitTouched(right, { layer, low: next, high: node.keys[index + 1] ?? place.high }, key, visit)
}

/** Where the root hangs. */
export const topPlace: Place = { layer: undefined, low: undefined, high: undefined }

/** Returns the node of a subtree that must be loaded. */
export function loaded(subtree: Subtree): Node {
  if (!subtree.node) throw new MissingBlockError(subtree.cid ?? emptyTreeCid)
  return subtree.node
}

/** Returns the block of a loaded node. Decoding is strict, so encoding gives back the bytes that were read. */
export function blockOf(subtree: Subtree, node: Node): Block {
  const bytes = encodeNode(node)
  return { cid: (subtree.cid ??= cidForCbor(bytes)), bytes }
}

/** Loads what is at hand and returns the CIDs that block the way. */
function loadFrom(tree: Tree, paths: readonly string[], peek: (cid: Cid) => Uint8Array | undefined): Cid[] {
  const missing = new Map<Subtree, Cid>()
  const visit = (subtree: Subtree, place: Place) => {
    if (subtree.node || !subtree.cid) return subtree.node
    const bytes = peek(subtree.cid)
    if (!bytes) {
      missing.set(subtree, subtree.cid)
      return undefined
    }
    tree.nodes++
    return (subtree.node = placeNode(decodeNode(bytes), place, tree.foreign))
  }
  for (const path of paths) visitTouched(tree.top, topPlace, path, visit)
  return [...missing.values()]
}
