import { must } from '@rookery/std'
import { type Cid, type Tid, cidForCbor } from '@rookery/syntax'

import { CborReader, CborWriter } from './cbor.ts'
import { InvalidNodeError, RepoLimitError } from './errors.ts'
import { nodeBytesMax, nodeEntriesMax, pathBytesMax } from './limits.ts'
import { isRecordPath, keyLayer, sharedPrefixLength } from './path.ts'

/**
 * One node of the tree, decoded: keys ascending, `values[i]` the record of `keys[i]`, and around them
 * `keys.length + 1` gaps, each null or a subtree one layer below. Never mutated once another node or tree refers
 * to it: an edit copies.
 */
export type Node = {
  readonly layer: number
  readonly keys: readonly string[]
  readonly values: readonly Cid[]
  readonly children: readonly (Subtree | null)[]
}

/**
 * A reference to a node. Without `node` it is not loaded; without `cid` it was made by an edit and not encoded. `rev` is
 * the commit that made it, where the tree has seen that commit. These fields are only ever filled in later, and with
 * what they must be, so that sharing is safe.
 */
export type Subtree = { cid: Cid | undefined; node: Node | undefined; rev: Tid | undefined }

/** What `decodeNode` reads: a node that does not know its layer yet. */
export type DecodedNode = Omit<Node, 'layer'>

// Room for the entry that crosses nodeBytesMax: a key of pathBytesMax and two links.
const writer = new CborWriter(nodeBytesMax + pathBytesMax + 256)

/**
 * Returns the canonical bytes of a node whose subtrees all have their CID (SPEC MST-2, MST-3).
 *
 * @throws {RepoLimitError} if the node is larger than `nodeEntriesMax` or `nodeBytesMax`: only mined keys do that.
 */
export function encodeNode(node: DecodedNode): Buffer {
  const { keys, values, children } = node
  if (keys.length > nodeEntriesMax) throw new RepoLimitError('nodeEntriesMax', nodeEntriesMax)
  writer.at = 0
  writer.byte(0xa2)
  writer.byte(0x61)
  writer.byte(0x65) // "e"
  writer.head(0x80, keys.length)
  let previous = ''
  for (let i = 0; i < keys.length; i++) {
    const key = must(keys[i])
    const shared = sharedPrefixLength(previous, key)
    writer.byte(0xa4)
    writer.byte(0x61)
    writer.byte(0x6b) // "k"
    writer.head(0x40, key.length - shared)
    writer.at += writer.bytes.write(shared === 0 ? key : key.slice(shared), writer.at, 'latin1')
    writer.byte(0x61)
    writer.byte(0x70) // "p"
    writer.head(0, shared)
    writer.byte(0x61)
    writer.byte(0x74) // "t"
    writer.link(children[i + 1]?.cid ?? null)
    writer.byte(0x61)
    writer.byte(0x76) // "v"
    writer.link(must(values[i]))
    if (writer.at > nodeBytesMax) throw new RepoLimitError('nodeBytesMax', nodeBytesMax)
    previous = key
  }
  writer.byte(0x61)
  writer.byte(0x6c) // "l"
  writer.link(children[0]?.cid ?? null)
  return writer.take()
}

/**
 * Reads a node: canonical CBOR only, keys strictly ascending printable ASCII with maximal prefix compression, so
 * that encoding it again gives the same bytes. What depends on its place in the tree is `placeNode`'s to check.
 *
 * @throws {InvalidNodeError} if the bytes are anything else.
 * @throws {RepoLimitError} if it is larger than `nodeEntriesMax` or `nodeBytesMax`.
 */
export function decodeNode(bytes: Uint8Array): DecodedNode {
  if (bytes.length > nodeBytesMax) throw new RepoLimitError('nodeBytesMax', nodeBytesMax)
  const reader = new CborReader(bytes, invalidNode)
  reader.expect(0xa2, 'a map of two fields')
  reader.key1(0x65)
  const count = reader.head(0x80)
  if (count > nodeEntriesMax) throw new RepoLimitError('nodeEntriesMax', nodeEntriesMax)
  const keys: string[] = []
  const values: Cid[] = []
  const children: (Subtree | null)[] = [null]
  let previous = ''
  for (let i = 0; i < count; i++) {
    reader.expect(0xa4, 'a map of four fields')
    reader.key1(0x6b)
    const suffix = reader.printable(reader.head(0x40))
    reader.key1(0x70)
    const shared = reader.head(0)
    const key = shared === 0 ? suffix : previous.slice(0, shared) + suffix
    // The first suffix character decides both order and compression: it must differ from, and follow, the one it replaces.
    if (shared > previous.length || key.length > pathBytesMax || key.length === 0)
      invalidNode('a key has wrong lengths')
    if (i > 0 && !(suffix.charCodeAt(0) > (shared < previous.length ? previous.charCodeAt(shared) : 0))) {
      invalidNode('keys are out of order or not compressed')
    }
    reader.key1(0x74)
    const right = reader.linkOrNull()
    reader.key1(0x76)
    keys.push(key)
    values.push(reader.link())
    children.push(right === null ? null : subtreeAt(right))
    previous = key
  }
  reader.key1(0x6c)
  const left = reader.linkOrNull()
  if (left !== null) children[0] = subtreeAt(left)
  reader.end()
  return { keys, values, children }
}

/**
 * Returns the CIDs of the subtrees that a node's bytes refer to, from left to right.
 *
 * @throws {InvalidNodeError} {RepoLimitError} as `decodeNode` does.
 */
export function subtreesOf(bytes: Uint8Array): Cid[] {
  return decodeNode(bytes).children.flatMap((child) => (child?.cid === undefined ? [] : [child.cid]))
}

/** Where a node hangs: its layer, and the keys around it (undefined at the tree's ends). */
export type Place = { layer: number | undefined; low: string | undefined; high: string | undefined }

/**
 * Returns the node in its place: below a parent it is not empty, its keys lie between the parent's, and layer 0
 * has no subtrees. The root's place has no layer; its first key tells it (SPEC MST-5…7).
 *
 * @param foreign also checks that every key is a record path and belongs on the node's layer (MST-9): one hash per
 *   key, needed once for data from elsewhere, a waste for nodes that this engine made.
 * @throws {InvalidNodeError} if the node cannot be there.
 */
export function placeNode(node: DecodedNode, place: Place, foreign: boolean): Node {
  const { keys, values, children } = node
  const first = keys[0]
  let { layer } = place
  if (layer === undefined) {
    if (first === undefined && children[0]) invalidNode('the root has no entries')
    layer = first === undefined ? 0 : keyLayer(first)
  } else if (first === undefined && !children[0]) {
    invalidNode('a node below the root is empty')
  }
  if (layer < 0) invalidNode('layer 0 has subtrees')
  if (first !== undefined) {
    if (place.low !== undefined && first <= place.low) invalidNode('a key is below its node')
    if (place.high !== undefined && must(keys.at(-1)) >= place.high) invalidNode('a key is above its node')
  }
  if (layer === 0 && children.some((child) => child !== null)) invalidNode('layer 0 has subtrees')
  if (foreign) {
    for (const key of keys) {
      if (!isRecordPath(key)) invalidNode('a key is no record path')
      if (keyLayer(key) !== layer) invalidNode('a key is on the wrong layer')
    }
  }
  return { layer, keys, values, children }
}

/** Returns the index of the first key that is not below the given one. */
export function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (must(keys[middle]) < key) low = middle + 1
    else high = middle
  }
  return low
}

/** Returns a reference to a node that is not loaded. */
function subtreeAt(cid: Cid): Subtree {
  if (cid[1] !== 0x71) invalidNode('a subtree is not a DAG-CBOR block')
  return { cid, node: undefined, rev: undefined }
}

/** The node of an empty tree, its bytes and its CID (SPEC MST-7). */
export const emptyNode: Node = { layer: 0, keys: [], values: [], children: [null] }
export const emptyNodeBytes: Uint8Array = encodeNode(emptyNode)
export const emptyTreeCid: Cid = cidForCbor(emptyNodeBytes)

function invalidNode(reason: string): never {
  throw new InvalidNodeError(`not a valid tree node: ${reason}`)
}
