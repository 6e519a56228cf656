import type { BlobStore } from './blob-store.ts'
import { DiskBlobStore, type DiskBlobStoreOptions } from './disk-blob-store.ts'
import { S3BlobStore, type S3BlobStoreOptions } from './s3-blob-store.ts'

/** Which driver to use, with its settings. */
export type BlobStoreOptions =
  | ({ driver: 's3' } & S3BlobStoreOptions)
  | ({ driver: 'disk' } & DiskBlobStoreOptions)

/** Returns the store that the settings name. The caller disposes of it; nothing is contacted before first use. */
export function openBlobStore(options: BlobStoreOptions): BlobStore {
  return options.driver === 's3' ? new S3BlobStore(options) : new DiskBlobStore(options)
}
