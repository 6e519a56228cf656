import { Transform, type TransformCallback } from 'node:stream'

import { type BlobRules, checkBlobType } from './blob-rules.ts'
import { sniffBytes } from './limits.ts'
import { LocationFilter, canTellLocation } from './location/location-filter.ts'
import { sniffMimeType } from './sniff-mime-type.ts'

/**
 * Holds an upload's first bytes until its type is known, and lets it through if the tenant takes that type; fails
 * before anything is stored if not. Of pictures and videos it removes the location, or refuses them for it, if the
 * tenant wants that.
 */
export class UploadGate extends Transform {
  readonly #rules: BlobRules
  readonly #declaredType: string | undefined
  /** What came so far; undefined once it was let through. */
  #held: Buffer[] | undefined = []
  #heldBytes = 0
  #filter: LocationFilter | undefined

  constructor(rules: BlobRules, declaredType: string | undefined) {
    super()
    this.#rules = rules
    this.#declaredType = declaredType
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#held === undefined) {
      tell(done, () => this.#pass(chunk))
      return
    }
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#heldBytes < sniffBytes) done()
    else this.#open().then(() => done(), done)
  }

  override _flush(done: TransformCallback): void {
    this.#open().then(() => tell(done, () => this.#filter && this.push(this.#filter.end())), done)
  }

  async #open(): Promise<void> {
    const held = this.#held
    if (held === undefined) return
    const head = Buffer.concat(held).subarray(0, sniffBytes)
    const mimeType = await sniffMimeType(head, this.#declaredType)
    checkBlobType(this.#rules, mimeType)
    const { location } = this.#rules
    if (location !== 'allow' && canTellLocation(mimeType)) {
      this.#filter = new LocationFilter(location, mimeType)
    }
    this.#held = undefined
    for (const chunk of held) this.#pass(chunk)
  }

  #pass(chunk: Buffer): void {
    const passed = this.#filter === undefined ? chunk : this.#filter.write(chunk)
    if (passed !== undefined) this.push(passed)
  }
}

/** A transform must not throw. */
function tell(done: TransformCallback, step: () => void): void {
  try {
    step()
    done()
  } catch (error) {
    done(error as Error)
  }
}
