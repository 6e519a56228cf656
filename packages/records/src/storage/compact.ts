import { setImmediate as yieldToOthers } from 'node:timers/promises'

import { type Database, inTransaction } from '@rookery/db'
import { type BlockStore, MissingBlockError, type Tree, openTree, walkTree } from '@rookery/repo'
import type { Tid } from '@rookery/syntax'

import {
  chunkBytesMax,
  chunkBytesTarget,
  chunkLayerMax,
  deltaBytesCeiling,
  deltaBytesFloor,
  deltaPacksMax,
  inlineCompactionBytesMax,
  walkChunksMax,
} from '../limits.ts'
import { ChunkBuilder, encodeDirectory } from './pack.ts'
import { type BasePack, type RepoHead, loadRepo, lockHead, replaceBase } from './storage-queries.ts'
import { StoredNodes } from './stored-nodes.ts'

/** Nodes after which a long walk lets other work run: about a millisecond. */
const yieldNodes = 256

/**
 * Tells what a repo's packs need: nothing, compaction by the process that wrote last, or by a job. Deltas may grow
 * to half the live tree (at least a floor), so that storage stays within twice the tree.
 */
export function compactionNeed(
  head: Pick<RepoHead, 'baseBytes' | 'deltaBytes' | 'deltaCount'>,
): 'none' | 'inline' | 'job' {
  const allowed = Math.min(Math.max(deltaBytesFloor, head.baseBytes / 2), deltaBytesCeiling)
  if (head.deltaBytes <= allowed && head.deltaCount <= deltaPacksMax) return 'none'
  return head.baseBytes <= inlineCompactionBytesMax ? 'inline' : 'job'
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
