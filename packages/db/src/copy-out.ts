import type pg from 'pg'

import { copyHeader } from './copy-format.ts'

/** Bytes that may have come and wait to be read before the server has to wait. */
const waitingBytesMax = 256 * 1024

/** Bytes of a message's type and length. */
const messageHeadBytes = 5

const copyData = 0x64
const copyDone = 0x63
/** CopyOutResponse, NoticeResponse, NotificationResponse, ParameterStatus: nothing to a reader of rows. */
const skipped = new Set([0x48, 0x4e, 0x41, 0x53])

export type CopyOutOptions = {
  /**
   * The reader copies what it needs of a row before it moves on, so that the memory can be given back at once: V8 marks
   * the whole heap for every 64 MB of it otherwise. Default false: views of rows stay good.
   */
  areRowsCopied?: boolean
}

/**
 * A `copy (…) to stdout (format binary)` under way, whose rows are read where they came in: no object is made for a
 * row or a field. No other statement may run on the connection before it has ended. Giving up early leaves the
 * connection unusable: the caller closes it.
 *
 * @example
 * const rows = CopyOut.run(connection, 'copy (select bytes from …) to stdout (format binary)')
 * while (rows.next() || (await rows.fetch())) rows.bytes.copy(target, 0, rows.start + 4, rows.end)
 */
export class CopyOut {
  /** What the row that was read last lies in. */
  bytes: Buffer = Buffer.alloc(0)
  /** Its first field: four bytes of length, then the value. */
  start = 0
  /** Behind its last field. */
  end = 0
  /** How many fields it has. */
  fields = 0

  readonly #text: string
  readonly #areRowsCopied: boolean
  /** Whether `bytes` is what is left of a chunk that came in, and nobody else's. */
  #isChunk = false
  #reader: { stream: pg.Connection['stream']; handler: (bytes: Buffer) => void } | undefined
  /** Where the next message begins in `bytes`. */
  #at = 0
  readonly #waiting: Buffer[] = []
  #waitingBytes = 0
  /** How many of those it takes to go on. */
  #missing = 1
  #isPaused = false
  #hasHeader = false
  #hasTrailer = false
  #state: 'open' | 'done' | Error = 'open'
  #wake: (() => void) | undefined

  private constructor(text: string, { areRowsCopied = false }: CopyOutOptions) {
    this.#text = text
    this.#areRowsCopied = areRowsCopied
  }

  /** Sends the statement. */
  static run(connection: pg.ClientBase, text: string, options: CopyOutOptions = {}): CopyOut {
    return connection.query(new CopyOut(text, options))
  }

  /** Moves to the next row if it is here. */
  next(): boolean {
    for (;;) {
      const { bytes } = this
      const at = this.#at
      const left = bytes.length - at
      const size = left < messageHeadBytes ? messageHeadBytes : 1 + bytes.readUInt32BE(at + 1)
      if (size > left) {
        this.#missing = left === 0 ? 1 : size - left
        return false
      }
      const code = bytes[at] ?? 0
      if (code !== copyData && !skipped.has(code)) {
        // The end of the rows, or an error: `pg` reads on.
        this.#leave(code === copyDone ? at + size : at)
        return false
      }
      this.#at = at + size
      if (code === copyData && this.#isRow(at + messageHeadBytes, at + size)) return true
    }
  }

  /**
   * Waits for the next row and moves to it; false after the last.
   *
   * @throws what the server answered instead, or that the connection broke.
   */
  async fetch(): Promise<boolean> {
    while (!this.next()) {
      if (this.#waitingBytes < this.#missing) {
        if (this.#state instanceof Error) throw this.#state
        if (this.#state === 'done') {
          if (!this.#hasTrailer) throw new Error('a COPY ended without its trailer')
          return false
        }
        this.#setPaused(false)
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#wake = resolve
        await promise
      }
      if (this.#waitingBytes >= this.#missing) this.#read()
    }
    return true
  }

  /** For `pg`, as what follows: stands in for its reader of the connection. */
  submit(connection: pg.Connection): void {
    const { stream } = connection
    const [handler, ...others] = stream.listeners('data') as ((bytes: Buffer) => void)[]
    if (handler === undefined || others.length > 0) throw new Error('who reads the connection is not known')
    this.#reader = { stream, handler }
    stream.off('data', handler)
    stream.on('data', this.#take)
    connection.query(this.#text)
  }

  handleError(error: Error): void {
    this.#end(error)
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#end('done')
  }

  #end(state: Error | 'done'): void {
    if (this.#state === 'open') this.#state = state
    this.#wake?.()
  }

  readonly #take = (chunk: Buffer): void => {
    this.#waiting.push(this.#areRowsCopied ? own(chunk) : chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes < this.#missing) return
    if (this.#waitingBytes >= waitingBytesMax) this.#setPaused(true)
    this.#wake?.()
  }

  #setPaused(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return
    this.#isPaused = isPaused
    if (isPaused) this.#reader?.stream.pause()
    else this.#reader?.stream.resume()
  }

  /** Goes on to what has come. Only a message that is cut is copied, as a whole. */
  #read(): void {
    const read = this.#isChunk ? [this.bytes] : []
    const left = this.bytes.subarray(this.#at)
    this.#at = 0
    this.#isChunk = left.length === 0
    if (this.#isChunk) {
      this.bytes = this.#shift(Number.POSITIVE_INFINITY)
    } else {
      const parts = [left]
      for (let missing = this.#missing; missing > 0;) {
        const part = this.#shift(missing)
        parts.push(part)
        missing -= part.length
        if (missing > 0 || !this.#isRestOf(part)) read.push(part)
      }
      this.bytes = Buffer.concat(parts)
    }
    if (this.#areRowsCopied) for (const chunk of read) release(chunk)
  }

  /** Tells whether what waits first is of the same chunk. */
  #isRestOf(part: Buffer): boolean {
    return this.#waiting[0]?.buffer === part.buffer
  }

  /** Takes the next of the waiting bytes, at most so many. */
  #shift(bytesMax: number): Buffer {
    const chunk = this.#waiting.shift() ?? Buffer.alloc(0)
    const isCut = chunk.length > bytesMax
    const part = isCut ? chunk.subarray(0, bytesMax) : chunk
    if (isCut) this.#waiting.unshift(chunk.subarray(bytesMax))
    this.#waitingBytes -= part.length
    return part
  }

  /** Tells whether the content of a message is a row; PostgreSQL sends one row in each. */
  #isRow(from: number, end: number): boolean {
    let at = from
    if (!this.#hasHeader) {
      this.#hasHeader = true
      at += copyHeader.length + this.bytes.readInt32BE(at + copyHeader.length - 4)
      if (at === end) return false
    }
    this.fields = this.bytes.readInt16BE(at)
    if (this.fields < 0) {
      this.#hasTrailer = true
      return false
    }
    this.start = at + 2
    this.end = end
    return true
  }

  /** Gives the connection back to `pg` with what comes from a place on. */
  #leave(at: number): void {
    const rest = [this.bytes.subarray(at), ...this.#waiting.splice(0)]
    this.bytes = Buffer.alloc(0)
    this.#at = 0
    this.#waitingBytes = 0
    this.#missing = 1
    this.#setPaused(false)
    if (this.#reader === undefined) return
    const { stream, handler } = this.#reader
    stream.off('data', this.#take)
    stream.on('data', handler)
    for (const bytes of rest) if (bytes.length > 0) handler(bytes)
  }
}

/** Returns a chunk whose memory is its own: those of a socket are so already. */
function own(chunk: Buffer): Buffer {
  if (chunk.length === chunk.buffer.byteLength) return chunk
  const copy = Buffer.allocUnsafeSlow(chunk.length)
  copy.set(chunk)
  return copy
}

/** Gives back the memory of a chunk, of which this may be a part. */
function release({ buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
}
