import { NodeSlots, nodePaths } from '@rookery/repo'
import { must } from '@rookery/std'
import type { Cid, Tid } from '@rookery/syntax'

import type { NodePlaces } from '../storage/node-places.ts'
import { encodeRev, isAbove, placeEnd, placeStart } from '../storage/pack.ts'
import type { RecordRun } from './export-queries.ts'
import { exportBatchNodeBytes, exportBatchRecords } from './limits.ts'

/** A stretch of a walk, in its order: each item is a place in one of the packs. */
export type Stretch = {
  readonly packs: Buffer[]
  /** Where a node begins; or, as the complement, where the CID of a record lies in the node that names it. */
  readonly places: number[]
  /** The records of it. */
  readonly runs: RecordRun[]
}

export type ExportWalkOptions = {
  /** Only nodes that came above this rev, and no records. A node is never older than those below it. Default all. */
  since?: Tid
  /** Whether a node that is not at hand is known to be older than that. Default false. */
  isMissingOld?: boolean
}

/** A node whose slots the walk goes through. */
type Level = {
  readonly slots: NodeSlots
  next: number
  /** Records so far. */
  records: number
  /** Whether all its records are of the collection that the walk is in. */
  isOneCollection: boolean
  paths: readonly string[] | undefined
}

/**
 * Walks a tree in the order in which an export streams it (SPEC CAR-4): each node, then its slots from left to right.
 * Nodes are not decoded: what an export needs of them is where they and the CIDs in them lie. Their form is checked,
 * not their order, which the records have as the database sends them.
 */
export class ExportWalk {
  readonly #places: NodePlaces
  readonly #root: Cid
  readonly #since: Buffer | undefined
  readonly #isMissingOld: boolean
  #hasBegun = false
  readonly #levels: Level[] = []
  #depth = -1
  /** The collection that the walk is in, with its slash. */
  #collection = Buffer.from('/')
  /** The record that ends the last run, if its path was not read: in which node, and which of its records. */
  #tailPack: Buffer | undefined
  #tailStart = 0
  #tailEnd = 0
  #tailRecord = 0

  constructor(places: NodePlaces, root: Cid, { since, isMissingOld = false }: ExportWalkOptions = {}) {
    this.#places = places
    this.#root = root
    this.#since = since === undefined ? undefined : encodeRev(since)
    this.#isMissingOld = isMissingOld
  }

  /**
   * Goes on until there is enough for one statement; returns undefined at the end.
   *
   * @throws {MissingBlockError} if a node is nowhere.
   * @throws {InvalidNodeError} if one has not the form of a node.
   */
  async next(): Promise<Stretch | undefined> {
    const stretch: Stretch = { packs: [], places: [], runs: [] }
    let records = 0
    let nodeBytes = 0
    if (!this.#hasBegun) {
      this.#hasBegun = true
      if (this.#places.find(this.#root, 0) || (await this.#fetch(this.#root, 0)))
        nodeBytes += this.#enter(stretch)
    }
    while (this.#depth >= 0 && records < exportBatchRecords && nodeBytes < exportBatchNodeBytes) {
      const level = must(this.#levels[this.#depth])
      const { slots } = level
      if (level.next === slots.count) {
        this.#depth--
        continue
      }
      const slot = level.next++
      const at = slots.cidAt(slot)
      if (!slots.isRecord(slot)) {
        if (this.#places.find(slots.bytes, at) || (await this.#fetch(slots.bytes, at)))
          nodeBytes += this.#enter(stretch)
      } else if (this.#since === undefined) {
        stretch.packs.push(slots.bytes)
        stretch.places.push(~at)
        this.#addToRuns(stretch.runs, level)
        records++
      }
    }
    this.#endRun(stretch.runs)
    return stretch.packs.length === 0 ? undefined : stretch
  }

  async #fetch(source: Uint8Array, cidAt: number): Promise<boolean> {
    if (this.#isMissingOld) return false
    await this.#places.fetch(source, cidAt)
    return true
  }

  /** Goes down to the node that was found, and returns how many bytes were added to the stretch. */
  #enter(stretch: Stretch): number {
    const { pack, at } = this.#places
    if (this.#since !== undefined && !isAbove(pack, at, this.#since)) return 0
    stretch.packs.push(pack)
    stretch.places.push(at)
    const level = (this.#levels[++this.#depth] ??= {
      slots: new NodeSlots(),
      next: 0,
      records: 0,
      isOneCollection: false,
      paths: undefined,
    })
    const start = placeStart(at)
    const end = placeEnd(pack, at)
    level.slots.read(pack, start, end)
    level.next = 0
    level.records = 0
    // Then those of the nodes between its records are too, and the walk comes by all of them before it is elsewhere.
    level.isOneCollection = level.slots.allBeginWith(this.#collection)
    level.paths = undefined
    return end - start
  }

  /** Paths of one collection follow one another, so they are a range of its keys. */
  #addToRuns(runs: RecordRun[], level: Level): void {
    const { slots } = level
    const record = level.records++
    if (level.isOneCollection && runs.length > 0) {
      this.#tailPack = slots.bytes
      this.#tailStart = slots.start
      this.#tailEnd = slots.end
      this.#tailRecord = record
      return
    }
    const [collection, rkey] = splitPath(
      must((level.paths ??= nodePaths(slots.bytes, slots.start, slots.end))[record]),
    )
    const run = runs.at(-1)
    if (run?.collection === collection) {
      run.last = rkey
      this.#tailPack = undefined
      return
    }
    this.#endRun(runs)
    runs.push({ collection, first: rkey, last: rkey })
    this.#collection = Buffer.from(`${collection}/`)
  }

  #endRun(runs: readonly RecordRun[]): void {
    const run = runs.at(-1)
    if (run === undefined || this.#tailPack === undefined) return
    const paths = nodePaths(this.#tailPack, this.#tailStart, this.#tailEnd)
    run.last = splitPath(must(paths[this.#tailRecord]))[1]
    this.#tailPack = undefined
  }
}

function splitPath(path: string): [collection: string, rkey: string] {
  const slash = path.indexOf('/')
  return [path.slice(0, slash), path.slice(slash + 1)]
}
