import { must } from '@rookery/std'

import { fileBuffersMax, fileWriteBytes } from './limits.ts'

/** The unit in which WebAssembly's memory is asked for. */
const wasmPageBytes = 64 * 1024

/** What Node's types leave out. */
declare const WebAssembly: { Memory: new (of: { initial: number }) => { buffer: ArrayBuffer } }

/**
 * Buffers of `fileWriteBytes` that a file opened for direct I/O takes: their addresses are multiples of a page, which
 * the memory of WebAssembly always is and that of an ArrayBuffer is not. Each is held for one write only, so those
 * who wait for one wait for the disk.
 */
export class FileBuffers {
  readonly #free: Buffer[]
  readonly #waiting: ((buffer: Buffer) => void)[] = []

  constructor() {
    const { buffer } = new WebAssembly.Memory({ initial: (fileBuffersMax * fileWriteBytes) / wasmPageBytes })
    this.#free = Array.from({ length: fileBuffersMax }, (_, n) =>
      Buffer.from(buffer, n * fileWriteBytes, fileWriteBytes),
    )
  }

  /** Runs the work with a buffer, which is no longer the work's when it has ended. */
  async use<T>(work: (buffer: Buffer) => Promise<T>): Promise<T> {
    const buffer = this.#free.pop() ?? (await this.#wait())
    try {
      return await work(buffer)
    } finally {
      if (this.#waiting.length > 0) must(this.#waiting.shift())(buffer)
      else this.#free.push(buffer)
    }
  }

  #wait(): Promise<Buffer> {
    const { promise, resolve } = Promise.withResolvers<Buffer>()
    this.#waiting.push(resolve)
    return promise
  }
}
