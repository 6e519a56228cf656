import { setImmediate as yieldToOthers } from 'node:timers/promises'

import { type Database, inTransaction } from '@rookery/db'
import { type BlockStore, MissingBlockError, type Tree, openTree, subtreesOf, walkTree } from '@rookery/repo'
import { type Cid, type Tid, cidKey } from '@rookery/syntax'

import {
  chunkBytesMax,
  chunkBytesTarget,
  chunkLayerMax,
  deltaBytesFloor,
  deltaPacksMax,
  inlineCompactionBytesMax,
  largeBaseShare,
  looseBytesMax,
  loosePacksMax,
  walkChunksMax,
} from '../limits.ts'
import type { JoinedDelta } from './made-nodes.ts'
import { ChunkBuilder, type PackedNode, encodeDirectory, readPack } from './pack.ts'
import { type BasePack, loadRepo, lockHead, replaceBase, replaceDeltas } from './storage-queries.ts'
import { StoredNodes } from './stored-nodes.ts'

/** Nodes after which a long walk lets other work run: about a millisecond. */
const yieldNodes = 256

/** What a repo's packs have grown to, as far as this process knows; a compaction sets it back. */
export type PackGrowth = {
  baseBytes: number
  /** Written since the base. */
  deltaBytes: number
  deltaCount: number
  /** Written by this process since it last joined deltas. */
  looseBytes: number
  /** Of what this process has joined from memory since deltas were last read and joined. */
  joinedBytes: number
}

/**
 * Tells what a repo's packs need: nothing; that its deltas are joined; or compaction, by the process that wrote last
 * or by a job. As many bytes may be written to deltas as the base has (at least a floor, and more for a large one). What
 * is stored of them is less, since joining drops what later commits replaced, so storage stays within twice the live tree.
 */
export function compactionNeed(growth: PackGrowth): 'none' | 'join' | 'inline' | 'job' {
  const { baseBytes, deltaBytes, deltaCount, looseBytes } = growth
  const isLarge = baseBytes > inlineCompactionBytesMax
  const writtenMax = Math.max(deltaBytesFloor, isLarge ? largeBaseShare * baseBytes : baseBytes)
  if (deltaBytes > writtenMax || deltaCount > deltaPacksMax) return isLarge ? 'job' : 'inline'
  return deltaCount > loosePacksMax || looseBytes > looseBytesMax ? 'join' : 'none'
}

/**
 * Replaces a repo's deltas by one that holds what is alive of them, each node with the rev that introduced it. Costs as
 * much as there are deltas, whatever the size of the repo; the base stays as it is. Commits go on meanwhile. Safe to run twice, and
 * by two processes at once: what one of them keeps too much goes with the next.
 *
 * @returns the size of the joined delta in bytes, or undefined if there was nothing to join.
 */
export async function joinDeltas(pool: Database['pool'], accountId: number): Promise<number | undefined> {
  const loaded = await loadRepo(pool, accountId)
  if (loaded === undefined || loaded.packs.deltas.length < 2) return undefined
  const { head, packs } = loaded
  const bytes = liveDelta(head.data, packs.deltas)
  return inTransaction(pool, async (client) => {
    const now = await lockHead(client, accountId)
    // An import or a compaction has replaced the packs that were read.
    if (now === undefined || now.baseRev !== head.baseRev) return undefined
    const { baseRev, rev } = head
    await replaceDeltas(client, accountId, { baseRev, since: baseRev, rev, bytes })
    return bytes.length
  })
}

/**
 * Stores a delta that was joined from memory in the place of the deltas that it was joined from.
 *
 * @returns false if those are not what is stored: another process has joined or compacted them, or an import has replaced
 *   the repo. A delta that others have joined into one of these revs is longer than the one it took the place of, or
 *   holds the same nodes, so number and bytes tell.
 */
export async function storeJoined(
  pool: Database['pool'],
  accountId: number,
  joined: JoinedDelta,
): Promise<boolean> {
  try {
    await inTransaction(pool, async (client) => {
      const now = await lockHead(client, accountId)
      if (now === undefined) throw new ReplacedDeltasError('the repo is gone')
      const replaced = await replaceDeltas(client, accountId, { ...joined, baseRev: now.baseRev })
      if (replaced.packs !== joined.packs || replaced.packBytes !== joined.packBytes) {
        throw new ReplacedDeltasError(`${replaced.packs} deltas where there were ${joined.packs}`)
      }
    })
    return true
  } catch (error) {
    if (error instanceof ReplacedDeltasError) return false
    throw error
  }
}

/** Rolls back. */
class ReplacedDeltasError extends Error {
  override readonly name = 'ReplacedDeltasError'
}

/** Returns one delta with the nodes of several that a tree reaches. What lies below a node of the base is of the base. */
function liveDelta(root: Cid, deltas: readonly Buffer[]): Buffer {
  const nodes = new Map<string, PackedNode>()
  // Oldest first: a node that came back has the rev of its return.
  for (const delta of deltas) readPack(delta, (node) => nodes.set(cidKey(node.cid), node))
  const live = new ChunkBuilder()
  const visit = (cid: Cid): void => {
    const key = cidKey(cid)
    const node = nodes.get(key)
    if (node === undefined) return
    nodes.delete(key)
    live.add(node)
    for (const subtree of subtreesOf(node.bytes)) visit(subtree)
  }
  visit(root)
  return live.finish().bytes
}

/**
 * Rewrites the repo's live nodes into a base pack at its current rev and drops the packs up to it. Commits go on
 * meanwhile: they only add packs above that rev. Another compaction that was first wins. Safe to run twice.
 *
 * @returns the size of the new base pack in bytes, or undefined if none was written.
 */
export async function compactRepo(pool: Database['pool'], accountId: number): Promise<number | undefined> {
  const start = await readBase(pool, accountId)
  if (start === undefined) return undefined
  return inTransaction(pool, async (client) => {
    const now = await lockHead(client, accountId)
    // An import or another compaction has replaced the packs that this one has read.
    if (now === undefined || now.baseRev !== start.baseRev) return undefined
    await replaceBase(client, accountId, start.base)
    return start.base.bytes
  })
}

async function readBase(
  pool: Database['pool'],
  accountId: number,
): Promise<{ base: BasePack; baseRev: Tid | null } | undefined> {
  try {
    return await inTransaction(
      pool,
      async (client) => {
        const loaded = await loadRepo(client, accountId)
        if (loaded === undefined || loaded.head.deltaCount === 0) return undefined
        const { head, packs } = loaded
        const nodes = new StoredNodes(client, accountId, { packs, chunksMax: walkChunksMax })
        return { base: await buildBase(openTree(head.data), nodes, head.rev), baseRev: head.baseRev }
      },
      { isolation: 'repeatable read' },
    )
  } catch (error) {
    // The packs do not hold the tree: `doctor` rebuilds it from the records; dropping packs would not help.
    if (error instanceof MissingBlockError) return undefined
    throw error
  }
}

/**
 * Returns a tree's nodes as a base pack: those of the upper layers in the directory, the rest in chunks of whole
 * sub-trees in the order of the keys.
 */
export async function buildBase(
  tree: Tree,
  nodes: BlockStore & { revOf?: StoredNodes['revOf'] },
  rev: Tid,
): Promise<BasePack> {
  const builder = new BaseBuilder(rev)
  let visited = 0
  for await (const item of walkTree(tree, nodes)) {
    if (item.kind === 'record') continue
    if (++visited % yieldNodes === 0) await yieldToOthers()
    builder.add({ ...item, rev: nodes.revOf?.(item.cid) ?? rev })
  }
  return builder.finish()
}

/** Lays out the nodes of a base pack as they come. */
export class BaseBuilder {
  readonly #rev: Tid
  readonly #top = new ChunkBuilder()
  readonly #prefixes: Buffer[] = []
  readonly #chunks: Buffer[] = []
  #chunk = new ChunkBuilder()

  constructor(rev: Tid) {
    this.#rev = rev
  }

  /** Adds a node; those of one sub-tree come together. */
  add(node: { cid: Uint8Array; bytes: Uint8Array; layer: number; rev: Tid }): void {
    if (node.layer > chunkLayerMax) {
      this.#top.add(node)
      return
    }
    const { size } = this.#chunk
    if (size >= (node.layer === chunkLayerMax ? chunkBytesTarget : chunkBytesMax)) this.#close()
    this.#chunk.add(node)
  }

  /** Returns the pack. */
  finish(): BasePack {
    // A small tree is one row, read with the head.
    if (this.#chunks.length === 0 && this.#chunk.size <= chunkBytesTarget) this.#top.append(this.#chunk)
    else if (this.#chunk.size > 0) this.#close()
    const directory = encodeDirectory(this.#prefixes, this.#top)
    const bytes = this.#chunks.reduce((sum, chunk) => sum + chunk.length, directory.length)
    return { rev: this.#rev, directory, chunks: this.#chunks, bytes }
  }

  #close(): void {
    const { bytes, prefixes } = this.#chunk.finish()
    this.#chunks.push(bytes)
    this.#prefixes.push(prefixes)
    this.#chunk = new ChunkBuilder()
  }
}
