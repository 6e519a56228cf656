import { Transform, type TransformCallback } from 'node:stream'

import { type BlobRules, checkBlobType } from './blob-rules.ts'
import { sniffBytes } from './limits.ts'
import { sniffMimeType } from './sniff-mime-type.ts'

/**
 * Holds an upload's first bytes until its type is known, and lets it through if the tenant takes that type; fails
 * before anything is stored if not.
 */
export class UploadGate extends Transform {
  readonly #rules: BlobRules
  readonly #declaredType: string | undefined
  /** What came so far; undefined once it was let through. */
  #held: Buffer[] | undefined = []
  #heldBytes = 0

  constructor(rules: BlobRules, declaredType: string | undefined) {
    super()
    this.#rules = rules
    this.#declaredType = declaredType
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#held === undefined) {
      done(null, chunk)
      return
    }
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#heldBytes < sniffBytes) done()
    else this.#open().then(() => done(), done)
  }

  override _flush(done: TransformCallback): void {
    this.#open().then(() => done(), done)
  }

  async #open(): Promise<void> {
    if (this.#held === undefined) return
    const head = Buffer.concat(this.#held).subarray(0, sniffBytes)
    checkBlobType(this.#rules, await sniffMimeType(head, this.#declaredType))
    for (const chunk of this.#held) this.push(chunk)
    this.#held = undefined
  }
}
