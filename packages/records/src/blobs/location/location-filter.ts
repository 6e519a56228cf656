import { BlobLocationRefusedError } from '../errors.ts'
import {
  locationAheadBytes,
  locationBehindBytes,
  locationBeginningsMax,
  locationWindowBytes,
} from '../limits.ts'
import { findLocations } from './location-metadata.ts'

/** What becomes of an upload that tells where it was recorded. */
export type LocationPolicy = 'allow' | 'reject' | 'strip'

/** Tells whether files of the type have places for a location that are looked at. */
export function canTellLocation(mimeType: string): boolean {
  return /^(?:image|video)\/|^audio\/(?:mp4|x-m4a)$/.test(mimeType)
}

/**
 * Looks for locations in a file that passes by, and removes them or refuses it. Holds back `locationWindowBytes` at
 * most, whatever the size of the file; every byte keeps its place.
 */
export class LocationFilter {
  readonly #policy: 'reject' | 'strip'
  readonly #mimeType: string
  #held: Buffer[] = []
  #heldBytes = 0
  /** Offset in what is held of the first byte that was not looked at. */
  #from = 0
  #isStart = true
  /** Places looked at so far. */
  #beginnings = 0

  constructor(policy: 'reject' | 'strip', mimeType: string) {
    this.#policy = policy
    this.#mimeType = mimeType
  }

  /**
   * Takes what comes next and returns what may be passed on.
   *
   * @throws {BlobLocationRefusedError}
   */
  write(chunk: Buffer): Buffer | undefined {
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#heldBytes < locationWindowBytes) return undefined
    const bytes = Buffer.concat(this.#held)
    const to = bytes.length - locationAheadBytes
    this.#look(bytes, to)
    const kept = bytes.subarray(to - locationBehindBytes)
    this.#held = [kept]
    this.#heldBytes = kept.length
    this.#from = locationBehindBytes
    this.#isStart = false
    return bytes.subarray(0, to - locationBehindBytes)
  }

  /**
   * Returns the rest, after the last byte has come.
   *
   * @throws {BlobLocationRefusedError}
   */
  end(): Buffer {
    const bytes = Buffer.concat(this.#held)
    this.#look(bytes, bytes.length)
    return bytes
  }

  #look(bytes: Buffer, to: number): void {
    const isPng = this.#mimeType === 'image/png' || this.#mimeType === 'image/apng'
    const search = { from: this.#from, to, isStart: this.#isStart, isPng }
    for (const found of findLocations(bytes, search)) {
      if (++this.#beginnings > locationBeginningsMax) {
        throw new BlobLocationRefusedError(
          'Whether this file tells where it was recorded cannot be found out',
        )
      }
      if (found === undefined) continue
      if (this.#policy === 'reject') {
        throw new BlobLocationRefusedError(
          'This file tells where it was recorded, which is not accepted here',
        )
      }
      if (found.blank === undefined) {
        throw new BlobLocationRefusedError(
          `This file tells where it was recorded, which cannot be removed from this kind of ${this.#mimeType}`,
        )
      }
      found.blank()
    }
  }
}
