import type { FileHandle } from 'node:fs/promises'
import { Writable } from 'node:stream'

import { releaseBytes } from '@rookery/std'

import { fileWriteBytes, fileWriteChunksMax } from './limits.ts'

type Done = (error?: Error | null) => void

/**
 * Writes a file in large steps and makes it durable at the end; owns the handle and what is written to it. Every
 * call of the file system is a trip to another thread, which costs more than the bytes of a small chunk.
 */
export class FileSink extends Writable {
  readonly #file: FileHandle
  #chunks: Buffer[] = []
  #chunkBytes = 0
  /** Bytes so far. */
  bytes = 0

  constructor(file: FileHandle) {
    super()
    this.#file = file
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#chunks.push(chunk)
    this.#chunkBytes += chunk.length
    const isEnough = this.#chunkBytes >= fileWriteBytes || this.#chunks.length >= fileWriteChunksMax
    if (isEnough) finish(this.#flush(), done)
    else done()
  }

  override _final(done: Done): void {
    finish(this.#end(), done)
  }

  override _destroy(error: Error | null, done: Done): void {
    finish(this.#file.close(), (closeError) => done(error ?? closeError))
  }

  async #end(): Promise<void> {
    await this.#flush()
    await this.#file.datasync()
  }

  async #flush(): Promise<void> {
    const chunks = this.#chunks
    if (chunks.length === 0) return
    const { bytesWritten } = await this.#file.writev(chunks)
    if (bytesWritten < this.#chunkBytes) throw new Error('the file took only part of a write')
    for (const chunk of chunks) releaseBytes(chunk)
    this.#chunks = []
    this.#chunkBytes = 0
    this.bytes += bytesWritten
  }
}

function finish(work: Promise<void>, done: Done): void {
  work.then(() => done(), done)
}
