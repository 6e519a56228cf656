import type { AppliedOps } from './apply-ops.ts'
import { type Block, BlockMap } from './block.ts'
import { encodeDistinct } from './encode-car.ts'

/**
 * Returns the CAR of a `#commit` event: the commit, the new nodes, the nodes that prove the operations, and the
 * created and updated records, each once (SPEC DIFF-1…3). Deleted records and old versions must not be among
 * `records`. Its length is what counts against the 2,000,000 bytes of SPEC SYN-3, which the caller enforces.
 *
 * @example
 * const slice = buildSlice({ commit, applied, records: [record] })
 * if (slice.length > eventBlocksBytesMax) throw new CommitTooLargeError()
 */
export function buildSlice(parts: {
  commit: Block
  applied: Pick<AppliedOps, 'newNodes' | 'proofNodes'>
  records: readonly Block[]
}): Buffer {
  const { commit, applied, records } = parts
  // Nodes of one tree and its commit differ from each other and from every record; records may be equal.
  const distinct = records.length > 1 ? new BlockMap(records) : records
  return encodeDistinct(commit.cid, [commit, ...applied.newNodes, ...applied.proofNodes, ...distinct])
}
