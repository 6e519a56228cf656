import type { Connection } from '@rookery/db'
import { MissingBlockError } from '@rookery/repo'
import { must } from '@rookery/std'
import { type Cid, cidBytes } from '@rookery/syntax'

import { chunksAheadMax } from '../limits.ts'
import { copyChunks } from './pack-copies.ts'
import {
  type Directory,
  checkVersion,
  cidHead,
  digestBytes,
  eachPlace,
  firstPlace,
  openDirectory,
  placeDigest,
  placeEnd,
} from './pack.ts'
import type { RepoHead, RepoPacks } from './storage-queries.ts'

const { latin1Slice } = Buffer.prototype

/** Nodes among which one is looked for before the chunk is indexed: commits have replaced those before it. */
const nearNodes = 32

/**
 * Finds the nodes of a repo where they lie in its packs, without an object or a copy of each: for a walk in the order
 * of the keys, which is that of the base's chunks. Keeps a few of those at hand and reads on ahead of the walk.
 */
export class NodePlaces {
  /** The pack of the node that was found last. */
  pack: Buffer = Buffer.alloc(0)
  /** Where it begins there. */
  at = 0

  readonly #connection: Connection
  readonly #head: RepoHead
  readonly #directory: Directory | undefined
  /** Nodes of the directory and of the deltas; of one that is there twice the later counts. */
  readonly #recent = new Map<string, number>()
  readonly #recentPacks: Buffer[] = []
  readonly #recentAts: number[] = []
  /** Chunks at hand, the one that was read first first. */
  readonly #chunks = new Map<number, ChunkPlaces>()
  /** The one that a node was found in last. */
  #chunk: ChunkPlaces | undefined
  readonly #readsAll: boolean
  #ahead = 1
  #lastRead = -1

  /**
   * @param options.reads whether the walk goes through the whole tree. If it goes through parts of it, a node that
   *   came back after the base was made is found where its last rev is.
   */
  constructor(
    connection: Connection,
    head: RepoHead,
    { packs, reads }: { packs: RepoPacks; reads: 'all' | 'parts' },
  ) {
    this.#connection = connection
    this.#head = head
    this.#readsAll = reads === 'all'
    if (this.#readsAll) this.#ahead = chunksAheadMax
    if (packs.directory !== undefined) {
      const { directory, nodesAt } = openDirectory(packs.directory)
      this.#directory = directory
      this.#addRecent(packs.directory, nodesAt)
    }
    for (const delta of packs.deltas) this.#addRecent(delta, firstPlace)
  }

  /** Looks for the node whose CID begins at a place of `source` among what is at hand, and moves to it. */
  find(source: Uint8Array, cidAt: number): boolean {
    const digestAt = cidAt + cidHead.length
    if (this.#readsAll && this.#moveTo(this.#chunk, this.#chunk?.findNear(source, digestAt, 1))) return true
    const key = digestKey(source, digestAt)
    const recent = this.#recent.get(key)
    if (recent !== undefined) {
      this.pack = must(this.#recentPacks[recent])
      this.at = must(this.#recentAts[recent])
      return true
    }
    if (this.#moveTo(this.#chunk, this.#chunk?.findNear(source, digestAt, nearNodes))) return true
    for (const number of this.#chunksOf(source, cidAt)) {
      const chunk = this.#chunks.get(number)
      if (this.#moveTo(chunk, chunk?.find(key))) return true
    }
    return false
  }

  /**
   * Reads the chunk that a node lies in, and moves to the node.
   *
   * @throws {MissingBlockError} if there is none.
   */
  async fetch(source: Uint8Array, cidAt: number): Promise<void> {
    for (const number of this.#chunksOf(source, cidAt)) {
      if (this.#chunks.has(number)) continue
      await this.#read(number)
      if (this.find(source, cidAt)) return
    }
    throw new MissingBlockError(cidIn(source, cidAt))
  }

  #chunksOf(source: Uint8Array, cidAt: number): number[] {
    return this.#directory?.chunksOf([cidIn(source, cidAt)]) ?? []
  }

  #moveTo(chunk: ChunkPlaces | undefined, at: number | undefined): boolean {
    if (chunk === undefined || at === undefined) return false
    this.#chunk = chunk
    this.pack = chunk.pack
    this.at = at
    return true
  }

  async #read(first: number): Promise<void> {
    if (first === this.#lastRead + 1) this.#ahead = Math.min(2 * this.#ahead, chunksAheadMax)
    const kept = [...this.#chunks.keys()]
    for (const { chunk, bytes } of await copyChunks(this.#connection, this.#head, {
      first,
      count: this.#ahead,
    })) {
      this.#chunks.delete(chunk)
      this.#chunks.set(chunk, new ChunkPlaces(bytes))
      this.#lastRead = chunk
    }
    // The walk may come back to the last of those before, not further.
    for (const chunk of kept.slice(0, -1)) this.#chunks.delete(chunk)
  }

  #addRecent(pack: Buffer, start: number): void {
    eachPlace(pack, start, (at) => {
      const digestAt = placeDigest(at)
      this.#recent.set(digestKey(pack, digestAt), this.#recentAts.length)
      this.#recentPacks.push(pack)
      this.#recentAts.push(at)
    })
  }
}

/** A chunk of a base: its nodes lie in the order of a walk. */
class ChunkPlaces {
  readonly pack: Buffer
  /** Behind the node that was found last. */
  #next = firstPlace
  #index: Map<string, number> | undefined

  constructor(pack: Buffer) {
    checkVersion(pack)
    this.pack = pack
  }

  /** Returns the place of a node if it is one of the next so many. */
  findNear(source: Uint8Array, digestAt: number, nodes: number): number | undefined {
    const { pack } = this
    let at = this.#next
    for (let left = nodes; left > 0 && at < pack.length; left--) {
      const end = placeEnd(pack, at)
      if (isDigest(source, digestAt, pack, placeDigest(at))) {
        this.#next = end
        return at
      }
      at = end
    }
    return undefined
  }

  /** Returns the place of a node by its digest. */
  find(key: string): number | undefined {
    const at = this.#places().get(key)
    if (at !== undefined) this.#next = placeEnd(this.pack, at)
    return at
  }

  #places(): Map<string, number> {
    if (this.#index !== undefined) return this.#index
    const index = new Map<string, number>()
    eachPlace(this.pack, firstPlace, (at) => {
      const digestAt = placeDigest(at)
      index.set(digestKey(this.pack, digestAt), at)
    })
    return (this.#index = index)
  }
}

function isDigest(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): boolean {
  for (let i = 0; i < digestBytes; i++) if (a[aAt + i] !== b[bAt + i]) return false
  return true
}

function cidIn(source: Uint8Array, cidAt: number): Cid {
  return source.subarray(cidAt, cidAt + cidBytes)
}

function digestKey(source: Uint8Array, digestAt: number): string {
  return latin1Slice.call(source, digestAt, digestAt + digestBytes)
}
