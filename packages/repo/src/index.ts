/**
 * The repo engine: a repo's signed tree of records as a pure function of its inputs. It reads no clock, draws no
 * random number and holds no connection; blocks come from a `BlockStore` and go back as values.
 *
 * The pieces, and how a commit is made of them:
 *
 *   const tree = openTree(head.data)                        // or the tree of the last commit, or emptyTree()
 *   await loadPaths(tree, ops.map((op) => op.path), store)  // one fetch per level, or per pack, or none
 *   const applied = applyOps(tree, ops, rev)                // synchronous: new root, nodes, proof, previous records
 *   const commit = await signCommit({ did, rev, data: applied.tree.root }, sign)
 *   const slice = buildSlice({ commit, applied, records })  // the blocks of the #commit event
 *
 * To store: `commit`, `applied.newNodes` and the records; to forget: `applied.removedNodes`; for the event:
 * `applied.ops`, `slice`, and `tree.root` as `prevData`. Nothing is kept between commits. `applied.tree` is loaded
 * along the paths that were touched: the fastest base for the next commit (about 20 µs for one record in a tree of
 * ten thousand). It holds more nodes with every commit: `trimTree` leaves those along one path. Opening the root anew
 * over a cache of node bytes with `peek` costs a few µs more and is bounded by bytes. Trees are immutable, so a commit
 * that loses its race leaves nothing behind.
 *
 * The other ways in: `verifyRepo` for whole imports and `diffTrees` for partial ones; `walkTree` and `listRecords`
 * for imports, compaction and repair; `NodeSlots` for exports, which do not decode nodes; `TreeBuilder` to make a tree from its records; `readCar`, `collectCar`,
 * `encodeCar` and the `carHeader` family for the container; `pathProof` for one record's proof; `verifyInversion`
 * for what a strict consumer of the firehose checks.
 *
 * Trust: a store's bytes are taken to match their CIDs (`readCar` has checked them). The decoder accepts only what
 * the encoder writes. Trees from elsewhere are opened as `foreign`, which also checks the layer of every key. All
 * input is bounded by the constants of `limits.ts`; past them, and for anything malformed, there is a typed error.
 *
 * Bytes that come out may be views of a larger buffer: whoever keeps a few of them for long copies them.
 */
export { type AppliedOps, type RepoOp, type WriteOp, applyOps } from './apply-ops.ts'
export { type Block, BlockMap, type BlockStore, memoryStore } from './block.ts'
export { TreeBuilder } from './build-tree.ts'
export {
  type Commit,
  type Sign,
  type UnsignedCommit,
  type Verify,
  decodeCommit,
  encodeCommit,
  encodeUnsignedCommit,
  signCommit,
  verifyCommit,
} from './commit.ts'
export { type TreeChange, diffTrees } from './diff-trees.ts'
export {
  carHeader,
  carSectionBytes,
  carSectionHeader,
  encodeCar,
  writeCarSectionHeader,
} from './encode-car.ts'
export type { RemovedNode } from './edit-tree.ts'
export {
  DuplicatePathError,
  InvalidCarError,
  InvalidCommitError,
  InvalidNodeError,
  InvalidPathError,
  InversionError,
  MissingBlockError,
  RecordExistsError,
  RecordMissingError,
  RepoLimitError,
} from './errors.ts'
export { verifyInversion } from './invert-ops.ts'
export {
  carBlockBytesMax,
  carBlocksMax,
  carBytesMax,
  carHeaderBytesMax,
  commitBytesMax,
  nodeBytesMax,
  nodeEntriesMax,
  pathBytesMax,
  treeBytesMax,
  treeNodesMax,
  treeRecordsMax,
} from './limits.ts'
export { emptyTreeCid, subtreesOf } from './node.ts'
export { NodeSlots, nodePaths } from './node-slots.ts'
export { isRecordPath, keyLayer, sharedPrefixLength } from './path.ts'
export { type CarLimits, type OpenCar, collectCar, readCar } from './read-car.ts'
export { buildSlice } from './slice.ts'
export {
  type Tree,
  emptyTree,
  findRecord,
  loadPaths,
  nodesSince,
  openTree,
  pathProof,
  trimTree,
} from './tree.ts'
export { type ForeignRepo, verifyRepo } from './verify-repo.ts'
export {
  type PathRange,
  type TreeItem,
  type TreeLimits,
  collectionRange,
  listRecords,
  walkTree,
  TreeWalk,
  type WalkOptions,
} from './walk-tree.ts'
