import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

/**
 * Short texts that a browser keeps for us: signed, so that it cannot make or change them, each for one purpose. All
 * processes read them.
 */
export class SignedState {
  readonly #key: Uint8Array

  /** @param secret of the cluster. */
  constructor(secret: string) {
    this.#key = new Uint8Array(hkdfSync('sha256', secret, '', 'rookery pages', 32))
  }

  /** Returns the mark that proves the parts; they must hold no line breaks. */
  mark(purpose: string, ...parts: readonly string[]): string {
    return createHmac('sha256', this.#key)
      .update([purpose, ...parts].join('\n'))
      .digest('base64url')
  }

  /** Tells whether it is the mark of these parts. */
  isMark(mark: string, purpose: string, ...parts: readonly string[]): boolean {
    const expected = Buffer.from(this.mark(purpose, ...parts))
    const actual = Buffer.from(mark)
    return actual.length === expected.length && timingSafeEqual(actual, expected)
  }
}
