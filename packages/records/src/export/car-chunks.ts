import { carHeader, carSectionHeader } from '@rookery/repo'
import type { Cid } from '@rookery/syntax'

import { exportChunkBytes } from './limits.ts'

/** A CAR in the making: gathers blocks into chunks of a size that is worth sending. */
export class CarChunks {
  #parts: Uint8Array[] = []
  #bytes = 0

  /** Begins the CAR of a commit. */
  constructor(root: Cid) {
    this.#add(carHeader(root))
  }

  /** Whether there is enough to be sent. */
  get isFull(): boolean {
    return this.#bytes >= exportChunkBytes
  }

  /** Adds a block; its bytes are copied by the next `take`. */
  add(cid: Cid, bytes: Uint8Array): void {
    this.#add(carSectionHeader(cid, bytes.length))
    this.#add(bytes)
  }

  /** Returns what was gathered since the last time. */
  take(): Buffer {
    const chunk = Buffer.concat(this.#parts, this.#bytes)
    this.#parts = []
    this.#bytes = 0
    return chunk
  }

  #add(part: Uint8Array): void {
    this.#parts.push(part)
    this.#bytes += part.length
  }
}
