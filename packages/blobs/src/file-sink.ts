import { closeSync, fdatasync, ftruncate, write } from 'node:fs'
import { promisify } from 'node:util'

import { must, releaseBytes } from '@rookery/std'

import type { FileBuffers } from './file-buffers.ts'
import { directBlockBytes, fileWriteBytes, fileWriteChunksMax } from './limits.ts'

const writeAt = promisify(write)
const syncData = promisify(fdatasync)
const truncate = promisify(ftruncate)

/** A new, empty file by its descriptor. Past the page cache (`isDirect`), it only takes whole blocks from aligned memory. */
export type NewFile = { fd: number; isDirect: boolean }

/**
 * Writes a file in large steps and makes it durable at the end; owns the file, which disposing closes, and what is
 * written to it. Every call of the file system is a trip to another thread, which costs more than the bytes of a small
 * chunk.
 */
export class FileSink implements Disposable {
  readonly #file: NewFile
  readonly #buffers: FileBuffers
  #chunks: Buffer[] = []
  #chunkBytes = 0
  /** Bytes of the first chunk that were written. */
  #taken = 0
  /** Bytes written so far. */
  #bytes = 0

  constructor(file: NewFile, buffers: FileBuffers) {
    this.#file = file
    this.#buffers = buffers
  }

  /** Takes more bytes; resolves when it can take the next. */
  async write(chunk: Buffer): Promise<void> {
    this.#chunks.push(chunk)
    this.#chunkBytes += chunk.length
    if (this.#chunkBytes >= fileWriteBytes) await this.#flush(fileWriteBytes)
    else if (this.#chunks.length === fileWriteChunksMax) this.#join()
  }

  /** Resolves when all is durable, with how many bytes the file has. */
  async end(): Promise<number> {
    const { fd, isDirect } = this.#file
    await this.#flush(1)
    if (isDirect && this.#bytes % directBlockBytes !== 0) await truncate(fd, this.#bytes)
    await syncData(fd)
    return this.#bytes
  }

  /** Does not wait for the disk: what `end` made durable is all there, the rest is of no use. */
  [Symbol.dispose](): void {
    closeSync(this.#file.fd)
  }

  /** Writes until fewer bytes are left than given. All but the last write are full. */
  async #flush(bytesMin: number): Promise<void> {
    if (this.#chunkBytes < bytesMin) return
    const { fd, isDirect } = this.#file
    await this.#buffers.use(async (buffer) => {
      while (this.#chunkBytes >= bytesMin) {
        const length = this.#fill(buffer)
        const blocks = isDirect ? Math.ceil(length / directBlockBytes) * directBlockBytes : length
        const { bytesWritten } = await writeAt(fd, buffer, 0, blocks, this.#bytes)
        if (bytesWritten < blocks) throw new Error('the file took only part of a write')
        this.#bytes += length
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
