import type { FileHandle } from 'node:fs/promises'
import { Writable } from 'node:stream'

import { must, releaseBytes } from '@rookery/std'

import type { FileBuffers } from './file-buffers.ts'
import { directBlockBytes, fileWriteBytes, fileWriteChunksMax } from './limits.ts'

type Done = (error?: Error | null) => void

/** A new, empty file. Past the page cache (`isDirect`), it only takes whole blocks from aligned memory. */
export type NewFile = { handle: FileHandle; isDirect: boolean }

/**
 * Writes a file in large steps and makes it durable at the end; owns the handle and what is written to it. Every
 * call of the file system is a trip to another thread, which costs more than the bytes of a small chunk.
 */
export class FileSink extends Writable {
  readonly #file: NewFile
  readonly #buffers: FileBuffers
  #chunks: Buffer[] = []
  #chunkBytes = 0
  /** Bytes of the first chunk that were written. */
  #taken = 0
  /** Bytes so far. */
  bytes = 0

  constructor(file: NewFile, buffers: FileBuffers) {
    super()
    this.#file = file
    this.#buffers = buffers
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#chunks.push(chunk)
    this.#chunkBytes += chunk.length
    if (this.#chunkBytes >= fileWriteBytes) {
      finish(this.#flush(fileWriteBytes), done)
      return
    }
    if (this.#chunks.length === fileWriteChunksMax) this.#join()
    done()
  }

  override _final(done: Done): void {
    finish(this.#end(), done)
  }

  override _destroy(error: Error | null, done: Done): void {
    finish(this.#file.handle.close(), (closeError) => done(error ?? closeError))
  }

  async #end(): Promise<void> {
    const { handle, isDirect } = this.#file
    await this.#flush(1)
    if (isDirect && this.bytes % directBlockBytes !== 0) await handle.truncate(this.bytes)
    await handle.datasync()
  }

  /** Writes until fewer bytes are left than given. All but the last write are full. */
  async #flush(bytesMin: number): Promise<void> {
    if (this.#chunkBytes < bytesMin) return
    const { handle, isDirect } = this.#file
    await this.#buffers.use(async (buffer) => {
      while (this.#chunkBytes >= bytesMin) {
        const length = this.#fill(buffer)
        const blocks = isDirect ? Math.ceil(length / directBlockBytes) * directBlockBytes : length
        const { bytesWritten } = await handle.write(buffer, 0, blocks, this.bytes)
        if (bytesWritten < blocks) throw new Error('the file took only part of a write')
        this.bytes += length
      }
    })
  }

  /** Moves as many bytes into the buffer as it takes, and returns how many those are. */
  #fill(buffer: Buffer): number {
    let at = 0
    while (at < buffer.length && this.#chunkBytes > 0) {
      const chunk = must(this.#chunks[0])
      const copied = chunk.copy(buffer, at, this.#taken)
      at += copied
      this.#taken += copied
      this.#chunkBytes -= copied
      if (this.#taken < chunk.length) continue
      releaseBytes(chunk)
      this.#chunks.shift()
      this.#taken = 0
    }
    return at
  }

  /** A client may send its bytes one by one: many small chunks take far more memory than they hold. */
  #join(): void {
    const joined = Buffer.concat(this.#chunks).subarray(this.#taken)
    this.#chunks = [joined]
    this.#taken = 0
  }
}

function finish(work: Promise<void>, done: Done): void {
  work.then(() => done(), done)
}
