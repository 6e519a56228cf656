import { must } from '@rookery/std'
import type { Cid, Tid } from '@rookery/syntax'

import { RecordExistsError, RecordMissingError } from './errors.ts'
import { type Node, type Subtree, emptyNode, lowerBound } from './node.ts'
import { keyLayer } from './path.ts'
import { loaded } from './tree.ts'

/**
 * Edits of the tree by copy-on-write. Each takes the root and returns a new one whose changed nodes have no CID
 * yet; the nodes that it replaced, if they had one, go to `replaced`. The shape is a function of the keys alone
 * (SPEC MST-8), so every edit keeps to four rules: a key lives on its layer, a subtree hangs exactly one layer
 * below its parent, only nodes that lead to keys exist, and the root has a key unless the tree is empty.
 */
export type Edit = { readonly replaced: RemovedNode[] }

/** A node that is no longer in a tree, and the commit that made it, if the tree has seen that one. */
export type RemovedNode = { readonly cid: Cid; readonly rev: Tid | undefined }

/** Adds a key. */
export function addKey(edit: Edit, top: Subtree, key: string, value: Cid): Subtree {
  const layer = keyLayer(key)
  const root = loaded(top)
  if (root.keys.length === 0) {
    open(edit, top)
    return made({ layer, keys: [key], values: [value], children: [null, null] })
  }
  if (layer <= root.layer) return addBelow(edit, top, { key, value, layer })
  let [left, right] = split(edit, top, key)
  for (let between = root.layer + 1; between < layer; between++) {
    if (left) left = made({ layer: between, keys: [], values: [], children: [left] })
    if (right) right = made({ layer: between, keys: [], values: [], children: [right] })
  }
  return made({ layer, keys: [key], values: [value], children: [left, right] })
}

/** Replaces the value of a key and returns the previous one with the root. */
export function updateKey(
  edit: Edit,
  top: Subtree,
  key: string,
  value: Cid,
): { top: Subtree; previous: Cid } {
  const node = loaded(top)
  const index = lowerBound(node.keys, key)
  if (node.keys[index] === key) {
    const previous = must(node.values[index])
    open(edit, top)
    return { top: made({ ...node, values: node.values.with(index, value) }), previous }
  }
  const child = node.children[index]
  if (!child) throw new RecordMissingError(key)
  const below = updateKey(edit, child, key, value)
  open(edit, top)
  return { top: made({ ...node, children: node.children.with(index, below.top) }), previous: below.previous }
}

/** Deletes a key and returns its value with the root. */
export function deleteKey(edit: Edit, top: Subtree, key: string): { top: Subtree; previous: Cid } {
  const deleted = deleteBelow(edit, top, key)
  let root = deleted.subtree
  if (root === null) return { top: made(emptyNode), previous: deleted.previous }
  // A root that only points to another node is trimmed, down to the first one with a key (SPEC MST-6).
  for (let node = loaded(root); node.keys.length === 0; node = loaded(root)) {
    open(edit, root)
    root = must(node.children[0])
  }
  return { top: root, previous: deleted.previous }
}

function addBelow(edit: Edit, subtree: Subtree, entry: { key: string; value: Cid; layer: number }): Subtree {
  const node = loaded(subtree)
  const { key, value } = entry
  const index = lowerBound(node.keys, key)
  if (node.keys[index] === key) throw new RecordExistsError(key)
  const child = node.children[index] ?? null
  if (node.layer === entry.layer) {
    const [left, right] = split(edit, child, key)
    open(edit, subtree)
    return made({
      layer: node.layer,
      keys: node.keys.toSpliced(index, 0, key),
      values: node.values.toSpliced(index, 0, value),
      children: node.children.toSpliced(index, 1, left, right),
    })
  }
  const below = child ? addBelow(edit, child, entry) : chain(entry, node.layer - 1)
  open(edit, subtree)
  return made({ ...node, children: node.children.with(index, below) })
}

/** Returns a new subtree of this layer that leads to one key: no layer is skipped (SPEC MST-5). */
function chain(entry: { key: string; value: Cid; layer: number }, layer: number): Subtree {
  let subtree = made({ layer: entry.layer, keys: [entry.key], values: [entry.value], children: [null, null] })
  for (let above = entry.layer + 1; above <= layer; above++) {
    subtree = made({ layer: above, keys: [], values: [], children: [subtree] })
  }
  return subtree
}

/** Cuts a subtree at a key that it does not hold, into what lies before and after it. */
function split(edit: Edit, subtree: Subtree | null, key: string): [Subtree | null, Subtree | null] {
  if (!subtree) return [null, null]
  const node = loaded(subtree)
  const { layer, keys, values, children } = node
  const index = lowerBound(keys, key)
  const child = children[index] ?? null
  const [left, right] = split(edit, child, key)
  // Nothing on one side: the node stays as it is.
  if (index === keys.length && right === null) return [subtree, null]
  if (index === 0 && left === null) return [null, subtree]
  open(edit, subtree)
  return [
    join({
      layer,
      keys: keys.slice(0, index),
      values: values.slice(0, index),
      children: [...children.slice(0, index), left],
    }),
    join({
      layer,
      keys: keys.slice(index),
      values: values.slice(index),
      children: [right, ...children.slice(index + 1)],
    }),
  ]
}

/** Joins two neighbouring subtrees of one layer, after the key between them went. */
function merge(edit: Edit, left: Subtree | null, right: Subtree | null): Subtree | null {
  if (!left) return right
  if (!right) return left
  const a = loaded(left)
  const b = loaded(right)
  const middle = merge(edit, a.children.at(-1) ?? null, b.children[0] ?? null)
  open(edit, left)
  open(edit, right)
  return made({
    layer: a.layer,
    keys: [...a.keys, ...b.keys],
    values: [...a.values, ...b.values],
    children: [...a.children.slice(0, -1), middle, ...b.children.slice(1)],
  })
}

function deleteBelow(edit: Edit, subtree: Subtree, key: string): { subtree: Subtree | null; previous: Cid } {
  const node = loaded(subtree)
  const { layer, keys, values, children } = node
  const index = lowerBound(keys, key)
  if (keys[index] === key) {
    const middle = merge(edit, children[index] ?? null, children[index + 1] ?? null)
    open(edit, subtree)
    const rest = {
      layer,
      keys: keys.toSpliced(index, 1),
      values: values.toSpliced(index, 1),
      children: children.toSpliced(index, 2, middle),
    }
    return { subtree: join(rest), previous: must(values[index]) }
  }
  const child = children[index]
  if (!child) throw new RecordMissingError(key)
  const below = deleteBelow(edit, child, key)
  open(edit, subtree)
  return {
    subtree: join({ ...node, children: children.with(index, below.subtree) }),
    previous: below.previous,
  }
}

/** Notes that a node is about to be replaced. */
function open(edit: Edit, subtree: Subtree): void {
  if (subtree.cid) edit.replaced.push({ cid: subtree.cid, rev: subtree.rev })
}

function made(node: Node): Subtree {
  return { cid: undefined, node, rev: undefined }
}

/** Returns the node as a subtree, or null if nothing is left in it. */
function join(node: Node): Subtree | null {
  return node.keys.length === 0 && node.children[0] === null ? null : made(node)
}
