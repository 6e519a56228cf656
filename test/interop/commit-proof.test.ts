import {
  BlockMap,
  type RepoOp,
  TreeBuilder,
  type WriteOp,
  applyOps,
  loadPaths,
  memoryStore,
  openTree,
  verifyInversion,
} from '@rookery/repo'
import { cidToString, parseCid } from '@rookery/syntax'
import { describe, expect, test } from 'vitest'

import { jsonVectors } from './vectors.ts'

type Fixture = {
  comment: string
  leafValue: string
  keys: string[]
  adds: string[]
  dels: string[]
  rootBeforeCommit: string
  rootAfterCommit: string
  blocksInProof: string[]
}

// SPEC DIFF-3, DIFF-4
describe('commit proofs', () => {
  test.each(jsonVectors('firehose/commit-proof-fixtures.json') as Fixture[])('$comment', async (fixture) => {
    const cid = parseCid(fixture.leafValue)
    const nodes = new BlockMap()
    const builder = new TreeBuilder((node) => nodes.add(node))
    for (const key of fixture.keys.toSorted()) builder.add(key, cid)
    const before = openTree(builder.finish())
    expect(cidToString(before.root)).toBe(fixture.rootBeforeCommit)

    const writes: WriteOp[] = [
      ...fixture.adds.map((path) => ({ action: 'create' as const, path, cid })),
      ...fixture.dels.map((path) => ({ action: 'delete' as const, path })),
    ]
    await loadPaths(before, [...fixture.adds, ...fixture.dels], memoryStore(nodes))
    const applied = applyOps(before, writes)
    expect(cidToString(applied.tree.root)).toBe(fixture.rootAfterCommit)

    const slice = new BlockMap([...applied.newNodes, ...applied.proofNodes])
    expect(Array.from(slice, (block) => cidToString(block.cid)).sort()).toEqual(
      fixture.blocksInProof.toSorted(),
    )
    for (const ops of permutations(applied.ops)) {
      expect(cidToString(verifyInversion(slice, ops, applied.tree.root))).toBe(fixture.rootBeforeCommit)
    }
  })
})

function permutations(ops: readonly RepoOp[]): RepoOp[][] {
  if (ops.length < 2) return [[...ops]]
  return ops.flatMap((op, i) => permutations(ops.toSpliced(i, 1)).map((rest) => [op, ...rest]))
}
