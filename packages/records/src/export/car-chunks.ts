import { carHeader } from '@rookery/repo'
import { cidBytes } from '@rookery/syntax'

import { cidHead, digestBytes, placeDigest, placeEnd, placeStart } from '../storage/pack.ts'
import { exportChunkBytes } from './limits.ts'

/**
 * A CAR in the making: gathers blocks into chunks of a size that is worth sending. Every chunk but the last is cut
 * where its buffer is full, so that its memory can be given back as a whole.
 */
export class CarChunks {
  #chunk = Buffer.allocUnsafeSlow(exportChunkBytes)
  #at = 0
  readonly #full: Buffer[] = []

  /** Begins the CAR of a commit, whose block is the first. */
  constructor(head: { head: Uint8Array; commit: Buffer }) {
    const header = carHeader(head.head)
    this.#write(header, 0, header.length)
    this.#varint(cidBytes + head.commit.length)
    for (const byte of head.head) this.#byte(byte)
    this.#write(head.commit, 0, head.commit.length)
  }

  /** Adds a copy of the node at a place of a pack. */
  addNode(pack: Buffer, at: number): void {
    const start = placeStart(at)
    const end = placeEnd(pack, at)
    const digestAt = placeDigest(at)
    this.#varint(cidBytes + end - start)
    for (const byte of cidHead) this.#byte(byte)
    this.#write(pack, digestAt, digestAt + digestBytes)
    this.#write(pack, start, end)
  }

  /** Adds a copy of a block that lies behind its CID. */
  addBlock(source: Buffer, start: number, end: number): void {
    this.#varint(end - start)
    this.#write(source, start, end)
  }

  /** Returns a chunk that is full, or undefined. */
  take(): Buffer | undefined {
    return this.#full.shift()
  }

  /** Returns what is left when everything was added and every full chunk taken. */
  rest(): Buffer {
    return this.#chunk.subarray(0, this.#at)
  }

  #varint(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#byte((rest & 0x7f) | 0x80)
    this.#byte(rest)
  }

  #byte(value: number): void {
    this.#chunk[this.#at++] = value
    if (this.#at === exportChunkBytes) this.#cut()
  }

  #write(source: Buffer, start: number, end: number): void {
    let from = start
    while (this.#at + end - from >= exportChunkBytes) {
      const to = from + exportChunkBytes - this.#at
      source.copy(this.#chunk, this.#at, from, to)
      from = to
      this.#cut()
    }
    source.copy(this.#chunk, this.#at, from, end)
    this.#at += end - from
  }

  #cut(): void {
    this.#full.push(this.#chunk)
    this.#chunk = Buffer.allocUnsafeSlow(exportChunkBytes)
    this.#at = 0
  }
}
