import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type BlobStore, openBlobStore } from '@rookery/blobs'
import { type S3Fault, startS3Emulator } from '@rookery/local'

/** An empty blob store of one's own; disposing removes it with all it holds. */
export type TestBlobStore = AsyncDisposable & {
  store: BlobStore
  /** Makes requests to the store fail until the result is disposed of; the disk store has none to fail. */
  inject(fault: S3Fault): Disposable
}

/** Opens an empty store with the given driver; `s3` speaks to a server of its own. */
export async function createTestBlobStore(driver: 's3' | 'disk'): Promise<TestBlobStore> {
  const dir = await mkdtemp(join(tmpdir(), 'rookery-blobs-'))
  const { store, inject, close } = driver === 's3' ? await openS3(dir) : openDisk(dir)
  return {
    store,
    inject,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await close()
      await rm(dir, { recursive: true })
    },
  }
}

type Opened = { store: BlobStore; inject: TestBlobStore['inject']; close: () => Promise<void> }

async function openS3(dir: string): Promise<Opened> {
  const emulator = await startS3Emulator({ dir })
  const { endpoint, bucket, accessKey, secretKey } = emulator
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey }
  // One attempt: a fault that is injected once is then seen.
  const options = { driver: 's3', endpoint, publicEndpoint: endpoint, bucket, credentials } as const
  const store = openBlobStore({ ...options, attemptsMax: 1 })
  return {
    store,
    inject: (fault) => emulator.inject(fault),
    close: () => Promise.resolve(emulator[Symbol.asyncDispose]()),
  }
}

function openDisk(dir: string): Opened {
  return {
    store: openBlobStore({ driver: 'disk', dir }),
    inject: () => ({ [Symbol.dispose]: () => undefined }),
    close: () => Promise.resolve(),
  }
}
