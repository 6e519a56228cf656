import { carHeader, writeCarSectionHeader } from '@rookery/repo'
import { type Cid, cidBytes } from '@rookery/syntax'

import { exportChunkBytes } from './limits.ts'

// The length of a section takes at most five bytes.
const header = Buffer.allocUnsafe(5 + cidBytes)

/**
 * A CAR in the making: gathers blocks into chunks of a size that is worth sending. Every chunk but the last is cut
 * where its buffer is full, so that its memory can be given back as a whole.
 */
export class CarChunks {
  #chunk = Buffer.allocUnsafeSlow(exportChunkBytes)
  #at = 0
  readonly #full: Buffer[] = []

  /** Begins the CAR of a commit. */
  constructor(root: Cid) {
    this.#write(carHeader(root))
  }

  /** Adds a copy of a block. */
  add(cid: Cid, bytes: Uint8Array): void {
    this.#write(header, writeCarSectionHeader(header, 0, cid, bytes.length))
    this.#write(bytes)
  }

  /** Returns a chunk that is full, or undefined. */
  take(): Buffer | undefined {
    return this.#full.shift()
  }

  /** Returns what is left when everything was added and every full chunk taken. */
  rest(): Buffer {
    return this.#chunk.subarray(0, this.#at)
  }

  #write(bytes: Uint8Array, length: number = bytes.length): void {
    let from = 0
    while (this.#at + length - from >= exportChunkBytes) {
      const to = from + exportChunkBytes - this.#at
      this.#copy(bytes, from, to)
      from = to
      this.#full.push(this.#chunk)
      this.#chunk = Buffer.allocUnsafeSlow(exportChunkBytes)
      this.#at = 0
    }
    this.#copy(bytes, from, length)
  }

  #copy(bytes: Uint8Array, from: number, to: number): void {
    this.#chunk.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), this.#at)
    this.#at += to - from
  }
}
