import { Frame } from '@atproto/xrpc-server'

import type { Sink } from '../src/fanout/sink.ts'

/** A connection in memory: it keeps what is written, and takes it only while it is not held. */
export class MemorySink implements Sink {
  readonly written: Buffer[] = []
  pendingBytes = 0
  /** Most bytes that waited. */
  pendingBytesMax = 0
  isHeld = false
  closed: { code: number; reason: string } | undefined
  readonly #onWrite: () => void

  constructor(onWrite = (): void => undefined) {
    this.#onWrite = onWrite
  }

  write(bytes: Buffer): void {
    this.written.push(bytes)
    this.#onWrite()
    if (this.isHeld) this.pendingBytes += bytes.length
    this.pendingBytesMax = Math.max(this.pendingBytesMax, this.pendingBytes)
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason }
  }

  /** Takes everything that waits; the caller resumes the subscription. */
  release(): void {
    this.isHeld = false
    this.pendingBytes = 0
  }

  /** Returns the payloads of the messages written so far. */
  payloads(): Buffer[] {
    const bytes = Buffer.concat(this.written)
    const found: Buffer[] = []
    let at = 0
    while (at < bytes.length) {
      const short = bytes[at + 1] ?? 0
      const header = short < 126 ? 2 : short === 126 ? 4 : 10
      const length =
        short < 126
          ? short
          : short === 126
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2))
      found.push(bytes.subarray(at + header, at + header + length))
      at += header + length
    }
    return found
  }

  /** Returns the frames written so far. */
  frames(): Frame[] {
    return this.payloads().map((payload) => Frame.fromBytes(payload))
  }

  /** Returns the seqs written so far; errors and infos have none. */
  seqs(): number[] {
    return this.frames().flatMap(({ body }) => {
      const { seq } = body as { seq?: number }
      return seq === undefined ? [] : [seq]
    })
  }
}
