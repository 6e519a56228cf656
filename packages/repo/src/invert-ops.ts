import { type Cid, cidEquals } from '@rookery/syntax'

import { type RepoOp, encodeNew } from './apply-ops.ts'
import type { BlockMap } from './block.ts'
import { addKey, deleteKey, type Edit, updateKey } from './edit-tree.ts'
import { InversionError, MissingBlockError, RecordExistsError, RecordMissingError } from './errors.ts'
import { decodeNode, placeNode, type Place, type Subtree } from './node.ts'
import { checkPath } from './path.ts'
import { openTree, topPlace } from './tree.ts'

/**
 * Undoes a commit's operations on the tree of its slice, in the order given, and returns the root before them,
 * which must equal the event's `prevData`: the check that strict consumers make (SPEC DIFF-4). The order does not
 * matter. Blocks that the slice lacks matter only where an operation needs them. The slice is taken as foreign.
 *
 * @throws {InversionError} if an operation does not describe the tree: a created or updated record that is not
 *   there or is another, a deleted one that is there.
 * @throws {MissingBlockError} if a node that is needed is not in the slice: its proof is incomplete.
 * @throws {InvalidNodeError} if a node is malformed or in the wrong place.
 * @throws {InvalidPathError} if a path is malformed.
 * @throws {RepoLimitError} if a node is too large.
 * @example
 * const { roots, blocks } = await collectCar([event.blocks])
 * const commit = decodeCommit(must(blocks.get(roots[0])))
 * assert(cidEquals(verifyInversion(blocks, event.ops, commit.data), event.prevData), 'the commit inverts')
 */
export function verifyInversion(blocks: BlockMap, ops: readonly RepoOp[], root: Cid): Cid {
  const edit: Edit = { replaced: [] }
  let { top } = openTree(root, { foreign: true })
  loadAll(top, topPlace, blocks)
  for (const op of ops) {
    checkPath(op.path)
    top = undo(edit, top, op)
  }
  return encodeNew(top, { blocks: [], subtrees: [] })
}

function undo(edit: Edit, top: Subtree, op: RepoOp): Subtree {
  const { action, path, cid, prev } = op
  if (action === 'create' ? prev || !cid : action === 'update' ? !prev || !cid : !prev || cid) {
    throw new InversionError(`the ${action} of ${path} has the wrong fields`)
  }
  try {
    if (prev && action === 'delete') return addKey(edit, top, path, prev)
    const undone = prev ? updateKey(edit, top, path, prev) : deleteKey(edit, top, path)
    if (cid && !cidEquals(undone.previous, cid))
      throw new InversionError(`the ${action} of ${path} made another record`)
    return undone.top
  } catch (cause) {
    if (cause instanceof RecordExistsError || cause instanceof RecordMissingError) {
      throw new InversionError(`the ${action} of ${path} does not fit the tree`, { cause })
    }
    throw cause
  }
}

/** Loads all nodes that the slice has; the others stay unloaded. */
function loadAll(subtree: Subtree, place: Place, blocks: BlockMap): void {
  const bytes = subtree.cid && blocks.get(subtree.cid)
  if (!bytes) {
    if (place === topPlace && subtree.cid) throw new MissingBlockError(subtree.cid)
    return
  }
  const node = placeNode(decodeNode(bytes), place, true)
  subtree.node = node
  for (const [i, child] of node.children.entries()) {
    if (!child) continue
    const low = node.keys[i - 1] ?? place.low
    const high = node.keys[i] ?? place.high
    loadAll(child, { layer: node.layer - 1, low, high }, blocks)
  }
}
