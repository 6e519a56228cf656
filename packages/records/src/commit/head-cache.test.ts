import { BlockMap, applyOps, emptyTree, findRecord, loadPaths, memoryStore, openTree } from '@rookery/repo'
import { must } from '@rookery/std'
import { type Tid, cidForCbor } from '@rookery/syntax'
import { expect, test } from 'vitest'

import { cachedNodesPerTree, cachedNodesPerTreeMax, unjoinedPacksMax } from '../limits.ts'
import { MadeNodes } from '../storage/made-nodes.ts'
import { type CachedHead, HeadCache } from './head-cache.ts'

const cid = cidForCbor(Buffer.from('record'))
const rev = '3jqfcqzm3fo2j' as Tid

test('keeps of a large tree what the next commit near the last one needs', async () => {
  const heads = new HeadCache()
  const paths = pathsOf(2_000)
  const last = must(paths.at(-1))
  const entry = headOf(1, paths)
  expect(entry.tree.nodes).toBeGreaterThan(cachedNodesPerTreeMax)

  expect(heads.set(entry, last)).toBe(heads.get(1))
  const { tree } = must(heads.get(1))
  expect(tree.nodes).toBeLessThan(20)
  expect(tree.root).toEqual(entry.tree.root)
  // Nothing is asked for.
  await loadPaths(tree, [`${last}a`], memoryStore(new BlockMap()))
  expect(findRecord(tree, last)).toEqual(cid)
})

test('keeps a small tree as it is', () => {
  const entry = headOf(1, pathsOf(100))
  expect(new HeadCache().set(entry, 'com.example.record/0')).toBe(entry)
})

test('keeps the nodes of packs that are still to be joined, up to a bound', () => {
  const heads = new HeadCache()
  const [some, many] = [headOf(1, pathsOf(400)), headOf(2, pathsOf(2_000))]
  expect(some.tree.nodes).toBeGreaterThan(cachedNodesPerTree)
  expect(some.tree.nodes).toBeLessThan(cachedNodesPerTreeMax)
  for (const { made } of [some, many]) {
    for (let n = 0; n <= unjoinedPacksMax; n++)
      made.add({ rev, newNodes: [], removedNodes: [], packBytes: 1 })
  }
  expect(heads.set(some, 'com.example.record/0')).toBe(some)
  expect(heads.set(many, 'com.example.record/0').tree.nodes).toBeLessThan(20)
  some.made.restart(rev)
  expect(heads.set(some, 'com.example.record/0').tree.nodes).toBeLessThan(20)
})

test('drops the heads that were used least recently when their nodes are too many', () => {
  const heads = new HeadCache(200)
  const entries = [1, 2, 3, 4].map((id) => headOf(id, pathsOf(200)))
  const { nodes } = must(entries[0]).tree
  expect(nodes).toBeGreaterThan(45)
  expect(nodes).toBeLessThan(66)
  for (const entry of entries.slice(0, 3)) heads.set(entry, 'com.example.record/0')
  heads.get(1)
  heads.set(must(entries[3]), 'com.example.record/0')
  expect([1, 2, 3, 4].filter((id) => heads.get(id) !== undefined)).toEqual([1, 3, 4])
})

test('counts what a plan has looked at, and forgets a head whose tree it has filled', async () => {
  const paths = pathsOf(2_000)
  const whole = applyOps(
    emptyTree(),
    paths.map((path) => ({ action: 'create', path, cid })),
  )
  const looking = { ...headOf(1, []), tree: openTree(whole.tree.root) }
  const look = (count: number) =>
    loadPaths(looking.tree, paths.slice(0, count), memoryStore(new BlockMap(whole.newNodes)))
  const heads = new HeadCache(200)
  heads.set(looking, 'com.example.record/0')
  await look(600)
  expect(looking.tree.nodes).toBeGreaterThan(150)
  expect(looking.tree.nodes).toBeLessThan(cachedNodesPerTreeMax)
  heads.set(headOf(2, pathsOf(200)), 'com.example.record/0')
  expect(heads.get(2)).toBeDefined()
  heads.recount(1)
  expect(heads.get(2)).toBeUndefined()
  expect(heads.get(1)?.tree).toBe(looking.tree)

  await look(2_000)
  heads.recount(1)
  expect(heads.get(1)).toBeUndefined()
})

test('counts heads of trees with nothing loaded too', () => {
  const heads = new HeadCache(200)
  for (let id = 1; id <= 1_000; id++) heads.set(headOf(id, ['com.example.record/0']), 'com.example.record/0')
  let kept = 0
  for (let id = 1; id <= 1_000; id++) if (heads.get(id) !== undefined) kept++
  expect(kept).toBe(100)
})

function pathsOf(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `com.example.record/${String(n).padStart(5, '0')}`)
}

function headOf(accountId: number, paths: readonly string[]): CachedHead {
  const { tree } = applyOps(
    emptyTree(),
    paths.map((path) => ({ action: 'create', path, cid })),
  )
  const head = {
    accountId,
    hostId: 1,
    did: `did:plc:${String(accountId).padStart(24, 'a')}`,
    status: 'active' as const,
    rev,
    head: cid,
    data: tree.root,
    baseRev: null,
    baseBytes: 0,
    deltaBytes: 0,
    deltaCount: 0,
    keyVersion: 0,
  }
  const growth = { baseBytes: 0, deltaBytes: 0, deltaCount: 0, looseBytes: 0, joinedBytes: 0 }
  return { head, tree, growth, made: new MadeNodes(rev) }
}
