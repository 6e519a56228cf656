export { type BlobRefClaim, checkBlobRefs } from './blobs/check-blob-refs.ts'
export {
  type CollectBlobsOptions,
  type CollectOrphansOptions,
  collectBlobs,
  collectOrphanObjects,
  deleteAccountBlobs,
} from './blobs/collect-blobs.ts'
export {
  BlobAccountGoneError,
  BlobLengthError,
  BlobMimeTypeError,
  BlobNotFoundError,
  BlobSizeError,
  BlobTakenDownError,
  BlobTooLargeError,
  BlobUploadAbortedError,
  BlobUploadTimeoutError,
} from './blobs/errors.ts'
export { listBlobsMax } from './blobs/limits.ts'
export { type BlobPage, type MissingBlob, listBlobs, listMissingBlobs } from './blobs/list-queries.ts'
export { type ServableBlob, getServableBlob, openBlob } from './blobs/open-blob.ts'
export { type BlobDeps, type BlobUpload, type StoredBlob, uploadBlob } from './blobs/upload-blob.ts'
