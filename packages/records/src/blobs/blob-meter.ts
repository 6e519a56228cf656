import { createHash } from 'node:crypto'
import { Transform, type TransformCallback } from 'node:stream'

import { type Cid, cidForRawDigest } from '@rookery/syntax'

import { BlobTooLargeError } from './errors.ts'
import { sniffBytes } from './limits.ts'

/** Passes a blob on and learns its CID, size and first bytes on the way; fails once it grows past the limit. */
export class BlobMeter extends Transform {
  readonly #bytesMax: number
  readonly #hash = createHash('sha256')
  readonly #head: Buffer[] = []
  #size = 0

  constructor(bytesMax: number) {
    // Chunk by chunk: bytes that are read together are copied, and what they were is left to the garbage collector.
    super({ readableObjectMode: true, readableHighWaterMark: 1 })
    this.#bytesMax = bytesMax
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size
  }

  /** Returns the CID of all that passed; call it once, at the end. */
  cid(): Cid {
    return cidForRawDigest(this.#hash.digest())
  }

  /** Returns the first `sniffBytes`, which are the caller's. */
  head(): Buffer {
    const [first, ...rest] = this.#head
    return first !== undefined && rest.length === 0 ? first : Buffer.concat(this.#head)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const missing = sniffBytes - this.#size
    // A copy: the memory of the chunk is given back when it is stored.
    if (missing > 0) this.#head.push(Buffer.from(chunk.subarray(0, missing)))
    this.#size += chunk.length
    if (this.#size > this.#bytesMax) {
      done(new BlobTooLargeError(`This file is too large. The limit is ${this.#bytesMax} bytes.`))
      return
    }
    this.#hash.update(chunk)
    done(null, chunk)
  }
}
