import { must } from '@rookery/std'
import { type Cid, type Tid, cidForCbor, cidKey } from '@rookery/syntax'

import type { Block } from './block.ts'
import { addKey, deleteKey, type Edit, type RemovedNode, updateKey } from './edit-tree.ts'
import { DuplicatePathError } from './errors.ts'
import { type Node, type Subtree, encodeNode } from './node.ts'
import { checkPath } from './path.ts'
import { type Tree, blockOf, loaded, topPlace, visitTouched } from './tree.ts'

/** A write to one path: `cid` is the new record's block. */
export type WriteOp =
  | { readonly action: 'create' | 'update'; readonly path: string; readonly cid: Cid }
  | { readonly action: 'delete'; readonly path: string }

/** A write as a `#commit` event tells it: `cid` is null for a delete, `prev` for a create (SPEC SYN-2). */
export type RepoOp = {
  readonly action: 'create' | 'update' | 'delete'
  readonly path: string
  readonly cid: Cid | null
  readonly prev: Cid | null
}

/** What a batch of writes did to a tree. */
export type AppliedOps = {
  /** The resulting tree, loaded along the paths; the base of the next commit if it is kept. */
  readonly tree: Tree
  /** The operations in the order given, each with the record that it replaced. */
  readonly ops: readonly RepoOp[]
  /** Nodes that the old tree did not have, parents before children: to store, and part of the slice. */
  readonly newNodes: readonly Block[]
  /** Nodes that only the old tree had. */
  readonly removedNodes: readonly RemovedNode[]
  /**
   * Nodes that both trees have and that the slice needs too: with them the operations can be undone in any order,
   * which is how consumers check `prevData` (SPEC DIFF-3).
   */
  readonly proofNodes: readonly Block[]
}

/**
 * Applies a commit's operations to a tree, which must be loaded along their paths (`loadPaths`). The old tree
 * stays valid, whether this returns or throws. An empty batch gives the same tree (and, for `emptyTree()`, its node).
 *
 * @param rev rev of the commit: its nodes carry it in the resulting tree (`nodesSince`).
 * @throws {DuplicatePathError} if two operations have the same path.
 * @throws {RecordExistsError} if a record to create is there.
 * @throws {RecordMissingError} if a record to update or delete is not.
 * @throws {InvalidPathError} if a path to create is malformed.
 * @throws {RepoLimitError} if a node would get too large.
 * @throws {MissingBlockError} if a path is not loaded.
 * @example
 * const applied = applyOps(tree, [{ action: 'create', path: 'app.bsky.feed.post/3jqfcqzm3fo2j', cid }])
 * applied.tree.root // goes into the commit as `data`
 */
export function applyOps(tree: Tree, writes: readonly WriteOp[], rev?: Tid): AppliedOps {
  checkDistinct(writes)
  const edit: Edit = { replaced: [] }
  let { top } = tree
  const ops: RepoOp[] = []
  for (const write of writes) {
    const step = applyOp(edit, top, write)
    top = step.top
    ops.push(step.op)
  }
  const made: EncodedNodes = { blocks: [], subtrees: [] }
  const root = encodeNew(top, made, rev)
  // What one key more has made has other keys than all that it replaced.
  const isPlain = writes.length === 1 && writes[0]?.action === 'create'
  const { added, removed } = isPlain
    ? { added: made, removed: edit.replaced }
    : netChange(made, edit.replaced)
  return {
    tree: {
      root,
      top,
      foreign: tree.foreign,
      nodes: tree.nodes + added.blocks.length - removed.length,
    },
    ops,
    newNodes: added.blocks,
    removedNodes: removed,
    proofNodes: proveOps(top, writes, added.subtrees),
  }
}

function checkDistinct(writes: readonly WriteOp[]): void {
  if (writes.length < 2) return
  const paths = new Set<string>()
  for (const { path } of writes) {
    if (paths.has(path)) throw new DuplicatePathError(path)
    paths.add(path)
  }
}

function applyOp(edit: Edit, top: Subtree, write: WriteOp): { top: Subtree; op: RepoOp } {
  const { action, path } = write
  if (action === 'create') {
    checkPath(path)
    return { top: addKey(edit, top, path, write.cid), op: { action, path, cid: write.cid, prev: null } }
  }
  if (action === 'update') {
    const updated = updateKey(edit, top, path, write.cid)
    return { top: updated.top, op: { action, path, cid: write.cid, prev: updated.previous } }
  }
  const deleted = deleteKey(edit, top, path)
  return { top: deleted.top, op: { action, path, cid: null, prev: deleted.previous } }
}

/** Nodes that an edit made, parents before children, and their blocks. */
export type EncodedNodes = { readonly blocks: Block[]; readonly subtrees: Subtree[] }

/** Encodes and hashes the nodes that have no CID yet, children first; they end up in `out` parents first. */
export function encodeNew(subtree: Subtree, out: EncodedNodes, rev?: Tid): Cid {
  if (subtree.cid) return subtree.cid
  // Holds the parent's place until its children have their CIDs.
  const place = out.blocks.push(pending) - 1
  out.subtrees.push(subtree)
  const node = loaded(subtree)
  for (const child of node.children) if (child && !child.cid) encodeNew(child, out, rev)
  const bytes = encodeNode(node)
  const cid = cidForCbor(bytes)
  subtree.cid = cid
  subtree.rev = rev
  out.blocks[place] = { cid, bytes }
  return cid
}

const pending: Block = { cid: new Uint8Array(), bytes: new Uint8Array() }

/** Leaves out what was replaced by an equal node: a write that is undone by a later one, or changes nothing. */
function netChange(
  made: EncodedNodes,
  replaced: readonly RemovedNode[],
): { added: EncodedNodes; removed: RemovedNode[] } {
  const before = new Map(replaced.map((node) => [cidKey(node.cid), node]))
  const after = new Set<string>()
  const added: EncodedNodes = { blocks: [], subtrees: [] }
  for (const [i, block] of made.blocks.entries()) {
    const subtree = must(made.subtrees[i])
    const key = cidKey(block.cid)
    const same = before.get(key)
    after.add(key)
    if (same) {
      subtree.rev = same.rev
    } else {
      added.blocks.push(block)
      added.subtrees.push(subtree)
    }
  }
  return { added, removed: replaced.filter(({ cid }) => !after.has(cidKey(cid))) }
}

/** Returns the nodes that the operations' keys touch in the final tree, without the new ones. */
function proveOps(top: Subtree, writes: readonly WriteOp[], newNodes: readonly Subtree[]): Block[] {
  const blocks: Block[] = []
  const known = new Set(newNodes)
  const visit = (subtree: Subtree): Node => {
    const node = loaded(subtree)
    if (known.has(subtree)) return node
    known.add(subtree)
    blocks.push(blockOf(subtree, node))
    return node
  }
  for (const { path } of writes) visitTouched(top, topPlace, path, visit)
  return blocks
}
