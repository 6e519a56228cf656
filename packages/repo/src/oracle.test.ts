import { Secp256k1Keypair, verifySignature } from '@atproto/crypto'
import {
  MemoryBlockstore,
  type RecordWriteOp,
  Repo,
  verifyDiffCar,
  verifyProofs,
  verifyRepoCar,
  WriteOpAction,
} from '@atproto/repo'
import { must } from '@rookery/std'
import { type Cid, cidEquals, cidForCbor, cidToString, encodeData } from '@rookery/syntax'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'

import { type AppliedOps, type RepoOp, type WriteOp, applyOps } from './apply-ops.ts'
import { type Block, BlockMap, memoryStore } from './block.ts'
import { TreeBuilder } from './build-tree.ts'
import { decodeCommit, signCommit, verifyCommit } from './commit.ts'
import { diffTrees } from './diff-trees.ts'
import { encodeCar } from './encode-car.ts'
import { verifyInversion } from './invert-ops.ts'
import { keyLayer } from './path.ts'
import { collectCar } from './read-car.ts'
import { buildSlice } from './slice.ts'
import { emptyTree, loadPaths, openTree, pathProof } from './tree.ts'
import { walkTree } from './walk-tree.ts'

const did = 'did:plc:dpg45vsnuir2vqqqadsn6afg'
const collection = 'com.example.record'
/** Record keys of many layers, so that small histories split, merge, trim and skip layers. */
const rkeys = pickKeys({ 0: 14, 1: 8, 2: 6, 3: 4, 4: 2, 5: 1 })

type Step = { key: number; value: number; remove: boolean }
type Write = { op: WriteOp; reference: RecordWriteOp; record: Block | undefined }

const step = fc.record({
  key: fc.nat(rkeys.length - 1),
  // Few values: the same record at several paths, and updates that change nothing.
  value: fc.nat(2),
  remove: fc.boolean(),
})
const history = fc.array(fc.uniqueArray(step, { selector: ({ key }) => key, minLength: 1, maxLength: 6 }), {
  minLength: 1,
  maxLength: 8,
})

// SPEC MST-5, MST-6, MST-8, DIFF-3, DIFF-4, SYN-4
describe('a random history', () => {
  test('gives the reference’s roots, nodes and commits byte for byte, and every commit inverts', async () => {
    const property = fc.asyncProperty(history, async (batches) => {
      expect(await compareHistory(batches)).toBe(batches.length)
    })
    await fc.assert(property, { numRuns: 60 })
  }, 120_000)

  test('with deep single-key trees and their removal stays equal', async () => {
    const deepest = rkeys.length - 1
    const commits = await compareHistory([
      [{ key: deepest, value: 0, remove: false }],
      [{ key: deepest, value: 0, remove: true }],
      [{ key: 0, value: 0, remove: false }],
      [{ key: deepest, value: 1, remove: false }],
      [
        { key: deepest, value: 1, remove: true },
        { key: 0, value: 0, remove: true },
      ],
      [{ key: 3, value: 0, remove: false }],
    ])
    expect(commits).toBe(6)
  })
})

/** Replays the history in both engines, compares everything after each commit, and returns how many there were. */
async function compareHistory(batches: readonly Step[][]): Promise<number> {
  const key = await Secp256k1Keypair.create()
  const storage = new MemoryBlockstore()
  let reference = await Repo.create(storage, did, key)
  const records = new Map<string, Cid>()
  const first = applyOps(emptyTree(), [])
  expect(cidToString(first.tree.root)).toBe(reference.commit.data.toString())
  let nodes = new BlockMap(first.newNodes)
  let root = first.tree.root
  for (const batch of batches) {
    const writes = batch.map((item) => writeOf(item, records))
    const ops = writes.map(({ op }) => op)
    const expected = await reference.formatCommit(
      writes.map((write) => write.reference),
      key,
    )
    const tree = openTree(root)
    await loadPaths(
      tree,
      ops.map((op) => op.path),
      memoryStore(nodes),
    )
    const applied = applyOps(tree, ops)
    const commit = await signCommit({ did, rev: expected.rev, data: applied.tree.root }, (bytes) =>
      key.sign(bytes),
    )
    expect(cidToString(commit.cid)).toBe(expected.cid.toString())
    expect(await verifyCommit(decodeCommit(commit.bytes), (bytes, sig) => verifyWith(key, bytes, sig))).toBe(
      true,
    )

    applyTo(records, ops)
    const rebuilt = rebuild(records)
    compareNodes({ applied, before: nodes, after: rebuilt })
    expect(cidsOf([...applied.newNodes, ...applied.proofNodes])).toEqual(
      referenceNodes(expected, commit.cid, writes),
    )
    await checkSlice({ applied, commit, writes, prevData: root, reference, didKey: key.did() })
    await checkDiff({ before: root, applied, nodes: new BlockMap([...nodes, ...rebuilt]) })

    reference = await reference.applyCommit(expected)
    nodes = rebuilt
    root = applied.tree.root
    await checkExport({ commit, nodes, root, writes, records, didKey: key.did() })
  }
  return batches.length
}

/** Turns a step into a write that the current records allow. */
function writeOf({ key, value, remove }: Step, records: ReadonlyMap<string, Cid>): Write {
  const rkey = must(rkeys[key])
  const path = `${collection}/${rkey}`
  const exists = records.has(path)
  if (exists && remove) {
    return {
      op: { action: 'delete', path },
      reference: { action: WriteOpAction.Delete, collection, rkey },
      record: undefined,
    }
  }
  const data = { $type: collection, value }
  const bytes = encodeData(data)
  const record = { cid: cidForCbor(bytes), bytes }
  return {
    op: { action: exists ? 'update' : 'create', path, cid: record.cid },
    reference: exists
      ? { action: WriteOpAction.Update, collection, rkey, record: data }
      : { action: WriteOpAction.Create, collection, rkey, record: data },
    record,
  }
}

function applyTo(records: Map<string, Cid>, ops: readonly WriteOp[]): void {
  for (const op of ops) {
    if (op.action === 'delete') records.delete(op.path)
    else records.set(op.path, op.cid)
  }
}

function rebuild(records: ReadonlyMap<string, Cid>): BlockMap {
  const nodes = new BlockMap()
  const builder = new TreeBuilder((node) => nodes.add(node))
  for (const [path, cid] of [...records].toSorted(([a], [b]) => (a < b ? -1 : 1))) builder.add(path, cid)
  builder.finish()
  return nodes
}

/** The new nodes are exactly those that the old tree lacks, the removed ones those that the new tree lacks. */
function compareNodes({
  applied,
  before,
  after,
}: {
  applied: AppliedOps
  before: BlockMap
  after: BlockMap
}) {
  expect(after.has(applied.tree.root)).toBe(true)
  for (const { cid, bytes } of [...applied.newNodes, ...applied.proofNodes]) {
    expect(Buffer.from(must(after.get(cid))).equals(bytes)).toBe(true)
  }
  expect(cidsOf(applied.newNodes)).toEqual(cidsOf([...after].filter(({ cid }) => !before.has(cid))))
  expect(applied.removedNodes.map(({ cid }) => cidToString(cid)).toSorted()).toEqual(
    cidsOf([...before].filter(({ cid }) => !after.has(cid))),
  )
}

type Formatted = Awaited<ReturnType<Repo['formatCommit']>>

/** Returns the CIDs of the nodes that the reference puts into its slice. */
function referenceNodes(expected: Formatted, commit: Cid, writes: readonly Write[]): string[] {
  const others = new Set(
    [commit, ...writes.flatMap(({ record }) => (record ? [record.cid] : []))].map(cidToString),
  )
  const all = [...expected.newBlocks.keys(), ...expected.relevantBlocks.keys()].map((cid) => cid.toString())
  return [...new Set(all)].filter((cid) => !others.has(cid)).sort()
}

async function checkSlice(options: {
  applied: AppliedOps
  commit: Block
  writes: readonly Write[]
  prevData: Cid
  reference: Repo
  didKey: string
}): Promise<void> {
  const { applied, commit, writes, prevData, reference, didKey } = options
  const records = writes.flatMap(({ record }) => (record ? [record] : []))
  const slice = buildSlice({ commit, applied, records })
  const { roots, blocks } = await collectCar([slice])
  expect(roots).toEqual([commit.cid])
  for (const { cid } of records) expect(blocks.has(cid)).toBe(true)
  for (const ops of orders(applied.ops)) {
    expect(cidToString(verifyInversion(blocks, ops, applied.tree.root))).toBe(cidToString(prevData))
  }
  const claims = applied.ops.map((op) => ({
    collection,
    rkey: must(op.path.split('/')[1]),
    cid: op.cid && CID.decode(op.cid),
  }))
  const proofs = await verifyProofs(slice, claims, did, didKey)
  expect(proofs.unverified).toEqual([])
  const diff = await verifyDiffCar(reference, slice, did, didKey, { ensureLeaves: true })
  // The reference's diff does not tell of an update that changes nothing.
  const changes = applied.ops.filter(({ cid, prev }) => !(cid && prev && cidEquals(cid, prev)))
  expect(diff.writes.map(({ action, rkey }) => `${action} ${rkey}`).toSorted()).toEqual(
    changes.map(({ action, path }) => `${action} ${path.split('/')[1]}`).toSorted(),
  )
}

/** A diff between the two roots tells the same changes and nodes as the commit did. */
async function checkDiff(options: { before: Cid; applied: AppliedOps; nodes: BlockMap }): Promise<void> {
  const { before, applied, nodes } = options
  const found: string[] = []
  const after = openTree(applied.tree.root, { foreign: true })
  for await (const change of diffTrees({ before: openTree(before), after, store: memoryStore(nodes) })) {
    if (change.kind === 'record') found.push(describeOp(change))
    else if (change.kind === 'newNode') found.push(`+ ${cidToString(change.block.cid)}`)
    else found.push(`- ${cidToString(change.cid)}`)
  }
  const changes = applied.ops.filter(({ cid, prev }) => !(cid && prev && cidEquals(cid, prev)))
  expect(found.sort()).toEqual(
    [
      ...changes.map(describeOp),
      ...applied.newNodes.map(({ cid }) => `+ ${cidToString(cid)}`),
      ...applied.removedNodes.map(({ cid }) => `- ${cidToString(cid)}`),
    ].sort(),
  )
}

/** The full export is a repo to the reference, and one record's proof is a proof. */
async function checkExport(options: {
  commit: Block
  nodes: BlockMap
  root: Cid
  writes: readonly Write[]
  records: ReadonlyMap<string, Cid>
  didKey: string
}): Promise<void> {
  const { commit, nodes, root, writes, records, didKey } = options
  const store = memoryStore(nodes)
  const blocks: Block[] = [commit]
  for await (const item of walkTree(openTree(root, { foreign: true }), store)) {
    blocks.push(item.kind === 'node' ? item : { cid: item.cid, bytes: recordBytes(item.cid) })
  }
  const repo = await verifyRepoCar(encodeCar(commit.cid, blocks), did, didKey)
  expect(repo.creates.map(({ rkey, cid }) => `${rkey} ${cid.toString()}`).toSorted()).toEqual(
    [...records].map(([path, cid]) => `${path.split('/')[1]} ${cidToString(cid)}`).toSorted(),
  )
  const path = must(writes[0]).op.path
  const tree = openTree(root)
  await loadPaths(tree, [path], store)
  const cid = records.get(path)
  const record = cid ? [{ cid, bytes: recordBytes(cid) }] : []
  const proof = encodeCar(commit.cid, [commit, ...pathProof(tree, path), ...record])
  const claim = { collection, rkey: must(path.split('/')[1]), cid: cid ? CID.decode(cid) : null }
  expect((await verifyProofs(proof, [claim], did, didKey)).verified).toHaveLength(1)
}

/** Returns the bytes of one of the few records. */
function recordBytes(cid: Cid): Uint8Array {
  for (const value of [0, 1, 2]) {
    const bytes = encodeData({ $type: collection, value })
    if (cidEquals(cidForCbor(bytes), cid)) return bytes
  }
  throw new Error('not one of the records')
}

function describeOp({ action, path, cid, prev }: RepoOp): string {
  return `${action} ${path} ${cid && cidToString(cid)} ${prev && cidToString(prev)}`
}

/** Returns every order of up to four operations; of more, every rotation, forwards and backwards. */
function orders(ops: readonly RepoOp[]): RepoOp[][] {
  if (ops.length > 4) {
    const rotated = ops.map((_, i) => [...ops.slice(i), ...ops.slice(0, i)])
    return [...rotated, ...rotated.map((order) => order.toReversed())]
  }
  if (ops.length < 2) return [[...ops]]
  return ops.flatMap((op, i) => orders(ops.toSpliced(i, 1)).map((rest) => [op, ...rest]))
}

function cidsOf(blocks: Iterable<Block>): string[] {
  return Array.from(blocks, ({ cid }) => cidToString(cid)).sort()
}

function verifyWith(key: Secp256k1Keypair, bytes: Uint8Array, sig: Uint8Array): Promise<boolean> {
  return verifySignature(key.did(), bytes, sig)
}

/** Returns so many record keys of each layer, the deepest last. */
function pickKeys(wanted: Record<number, number>): string[] {
  const layers = new Map(
    Object.entries(wanted).map(([layer, count]) => [Number(layer), { count, keys: [''] }]),
  )
  for (const layer of layers.values()) layer.keys.pop()
  for (let i = 0; [...layers.values()].some(({ keys, count }) => keys.length < count); i++) {
    const rkey = `k${i}`
    const layer = layers.get(keyLayer(`${collection}/${rkey}`))
    if (layer && layer.keys.length < layer.count) layer.keys.push(rkey)
  }
  return [...layers.values()].flatMap(({ keys }) => keys)
}
