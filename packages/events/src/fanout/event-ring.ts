import { assert } from '@rookery/std'

import type { NumberedMessage } from '../event-batch.ts'
import { joinedChunksMax } from '../limits.ts'

/** Consecutive messages of one host, joined. */
export type Chunk = { bytes: Buffer; throughSeq: number }

type HostEntries = {
  /** Seq order; those before `first` are gone. */
  entries: NumberedMessage[]
  first: number
  /** Every event of the host above this seq and up to the ring's head is here. */
  floorSeq: number
  /** Joined chunks by the seq that they follow: subscribers at one position share the bytes. */
  joined: Map<number, Chunk>
}

/**
 * The newest events of all hosts, bounded by bytes: the oldest goes first, whatever its host.
 *
 * It holds every event from where it started (or the last one that it let go) to `headSeq`. It knows nothing of
 * subscribers: they ask by position.
 */
export class EventRing {
  readonly #bytesMax: number
  readonly #startSeq: number
  readonly #hosts = new Map<number, HostEntries>()
  #order: NumberedMessage[] = []
  #oldest = 0
  #bytes = 0
  #bytesSeen = 0
  #headSeq: number
  #floorSeq: number

  /** @param startSeq the seq that the first event comes after. */
  constructor(startSeq: number, bytesMax: number) {
    this.#startSeq = startSeq
    this.#headSeq = startSeq
    this.#floorSeq = startSeq
    this.#bytesMax = bytesMax
  }

  /** Highest seq that went in; the start if none did. */
  get headSeq(): number {
    return this.#headSeq
  }

  /** Bytes of all messages that ever went in. */
  get bytesSeen(): number {
    return this.#bytesSeen
  }

  /** Bytes of the messages that it holds. */
  get bytes(): number {
    return this.#bytes
  }

  /** Highest seq that it has let go of; the start if none was. */
  get floorSeq(): number {
    return this.#floorSeq
  }

  /** Returns by how many microseconds a reader of the host's events at a seq is behind; 0 if it has them all. */
  lagMicros(hostId: number, seq: number): number {
    if (!this.covers(hostId, seq)) return this.#headSeq - seq
    const host = this.#hosts.get(hostId)
    const next = host?.entries[firstAfter(host, seq)]
    return next === undefined ? 0 : this.#headSeq - next.seq
  }

  /** Adds the next event. */
  append(entry: NumberedMessage): void {
    assert(entry.seq > this.#headSeq, 'events come in seq order')
    this.#headSeq = entry.seq
    const host = this.#host(entry.hostId)
    host.entries.push(entry)
    host.joined.clear()
    this.#order.push(entry)
    this.#bytes += entry.message.length
    this.#bytesSeen += entry.message.length
    while (this.#bytes > this.#bytesMax) this.#dropOldest()
    if (this.#oldest > 1_024 && this.#oldest * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#oldest)
      this.#oldest = 0
    }
  }

  /** Tells whether the ring has every event of the host above a seq. */
  covers(hostId: number, seq: number): boolean {
    return seq >= (this.#hosts.get(hostId)?.floorSeq ?? this.#startSeq)
  }

  /**
   * Returns the host's messages after a seq that the ring covers, joined, up to a number of bytes but at least one.
   *
   * @returns undefined if there is none.
   */
  chunkAfter(hostId: number, seq: number, bytesMax: number): Chunk | undefined {
    const host = this.#hosts.get(hostId)
    if (!host) return undefined
    const from = firstAfter(host, seq)
    const first = host.entries[from]
    if (!first) return undefined
    const known = host.joined.get(first.seq)
    if (known) return known
    let to = from
    let bytes = 0
    do {
      bytes += host.entries[to++]?.message.length ?? 0
    } while (to < host.entries.length && bytes + (host.entries[to]?.message.length ?? 0) <= bytesMax)
    const part = host.entries.slice(from, to)
    const throughSeq = part.at(-1)?.seq ?? first.seq
    if (part.length === 1) return { bytes: first.message, throughSeq }
    const chunk = {
      bytes: Buffer.concat(
        part.map(({ message }) => message),
        bytes,
      ),
      throughSeq,
    }
    if (host.joined.size >= joinedChunksMax) host.joined.clear()
    host.joined.set(first.seq, chunk)
    return chunk
  }

  #host(hostId: number): HostEntries {
    let host = this.#hosts.get(hostId)
    if (!host) {
      host = { entries: [], first: 0, floorSeq: this.#startSeq, joined: new Map() }
      this.#hosts.set(hostId, host)
    }
    return host
  }

  #dropOldest(): void {
    const entry = this.#order[this.#oldest]
    assert(entry, 'bytes belong to entries')
    this.#order[this.#oldest++] = tombstone
    this.#bytes -= entry.message.length
    this.#floorSeq = entry.seq
    const host = this.#host(entry.hostId)
    host.entries[host.first++] = tombstone
    host.floorSeq = entry.seq
    host.joined.clear()
    if (host.first > 1_024 && host.first * 2 > host.entries.length) {
      host.entries = host.entries.slice(host.first)
      host.first = 0
    }
  }
}

/** Stands where an entry was, so that its bytes can be freed before the arrays are cut. */
const tombstone: NumberedMessage = { seq: 0, hostId: 0, message: Buffer.alloc(0) }

function firstAfter({ entries, first }: HostEntries, seq: number): number {
  let low = first
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle]?.seq ?? 0) > seq) high = middle
    else low = middle + 1
  }
  return low
}
