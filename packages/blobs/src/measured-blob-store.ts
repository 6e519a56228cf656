import type { Readable } from 'node:stream'

import { metrics } from '@rookery/telemetry'

import type {
  BlobObject,
  BlobObjectInfo,
  BlobStore,
  ByteRange,
  ListOptions,
  SignUrlOptions,
} from './blob-store.ts'
import { BlobStoreUnavailableError } from './errors.ts'

/** A store that counts what another does, whose contract and whose life it has. */
export class MeasuredBlobStore implements BlobStore {
  readonly #store: BlobStore

  constructor(store: BlobStore) {
    this.#store = store
  }

  async put(key: string, body: Readable, signal?: AbortSignal): Promise<number> {
    const size = await measured('put', () => this.#store.put(key, body, signal))
    metrics.add('rookery_blob_bytes_total', { direction: 'in' }, size)
    return size
  }

  async get(key: string, range?: ByteRange): Promise<BlobObject> {
    const object = await measured('get', () => this.#store.get(key, range))
    metrics.add('rookery_blob_bytes_total', { direction: 'out' }, object.length)
    return object
  }

  head(key: string): Promise<BlobObjectInfo | undefined> {
    return measured('head', () => this.#store.head(key))
  }

  /** Asks nobody: not measured. */
  signUrl(key: string, options: SignUrlOptions): Promise<string | undefined> {
    return this.#store.signUrl(key, options)
  }

  delete(key: string): Promise<void> {
    return measured('delete', () => this.#store.delete(key))
  }

  deleteMany(keys: readonly string[]): Promise<void> {
    return measured('deleteMany', () => this.#store.deleteMany(keys))
  }

  list(options: ListOptions): Promise<BlobObjectInfo[]> {
    return measured('list', () => this.#store.list(options))
  }

  removeUnfinished(before: Date): Promise<number> {
    return measured('removeUnfinished', () => this.#store.removeUnfinished(before))
  }

  check(): Promise<void> {
    return measured('check', () => this.#store.check())
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#store[Symbol.asyncDispose]()
  }
}

/** Failed is what the store did not do; refused, what was not to be had, or an upload that its caller gave up. */
async function measured<T>(operation: string, run: () => Promise<T>): Promise<T> {
  const startMs = performance.now()
  let outcome = 'ok'
  try {
    return await run()
  } catch (error) {
    outcome = error instanceof BlobStoreUnavailableError ? 'failed' : 'refused'
    throw error
  } finally {
    metrics.observe(
      'rookery_blob_store_seconds',
      { operation, outcome },
      (performance.now() - startMs) / 1_000,
    )
  }
}
