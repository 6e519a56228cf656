export {
  type BlobObject,
  type BlobObjectInfo,
  type BlobStore,
  type ByteRange,
  type ListOptions,
  type SignUrlOptions,
  blobKey,
  exportKey,
  exportPrefix,
  newObjectName,
  tryParseBlobKey,
} from './blob-store.ts'
export { DiskBlobStore, type DiskBlobStoreOptions } from './disk-blob-store.ts'
export {
  BlobObjectNotFoundError,
  BlobRangeError,
  BlobStoreUnavailableError,
  InvalidBlobSettingsError,
} from './errors.ts'
export { deleteManyKeysMax, listEntriesMax, partBytes, unavailableRetryAfterMs } from './limits.ts'
export {
  type BlobSettings,
  type BlobStoreOptions,
  blobStoreOptions,
  openBlobStore,
} from './open-blob-store.ts'
export { S3BlobStore, type S3BlobStoreOptions } from './s3-blob-store.ts'
