export type { BlobQuota } from './blobs/blob-queries.ts'
export { type BlobRules, noBlobRules } from './blobs/blob-rules.ts'
export { type BlobCheck, checkBlobs } from './blobs/check-blobs.ts'
export { type BlobRefClaim, checkBlobRefs } from './blobs/check-blob-refs.ts'
export {
  type CollectBlobsOptions,
  type CollectOrphansOptions,
  collectBlobs,
  collectOrphanObjects,
  deleteAccountBlobs,
} from './blobs/collect-blobs.ts'
export {
  BlobLengthError,
  BlobLocationRefusedError,
  BlobMimeTypeError,
  BlobNotFoundError,
  BlobPurgedError,
  BlobQuotaExceededError,
  BlobSizeError,
  BlobTakenDownError,
  BlobTooLargeError,
  BlobTypeRefusedError,
  BlobUploadAbortedError,
  BlobUploadTimeoutError,
} from './blobs/errors.ts'
export type { LocationPolicy } from './blobs/location/location-filter.ts'
export { eraseBlob } from './blobs/erase-blob.ts'
export { listBlobsMax } from './blobs/limits.ts'
export { type BlobPage, type MissingBlob, listBlobs, listMissingBlobs } from './blobs/list-queries.ts'
export { type ServableBlob, getServableBlob, openBlob } from './blobs/open-blob.ts'
export { type BlobPurge, type BlobView, getBlobView, purgeBlob } from './blobs/purge-queries.ts'
export { type BlobSubject, findBlobTakedown, restoreBlob, takeDownBlob } from './blobs/takedown-queries.ts'
export { type BlobDeps, type BlobUpload, type StoredBlob, uploadBlob } from './blobs/upload-blob.ts'
export {
  type AccountBlobUsage,
  type BlobUsage,
  type Recount,
  findBlobUsage,
  getTenantBlobUsage,
  recountAccountUsage,
  recountTenantUsage,
  setAccountBlobQuota,
} from './blobs/usage-queries.ts'
export type { RepoView, WritePlan } from './commit/build-commit.ts'
export { type NewRepoOptions, createRepo, resignRepo } from './commit/repo-lifecycle.ts'
export { RepoWriter, type RepoWriterOptions, type StoredCommit } from './commit/repo-writer.ts'
export { rotateSigningKey, type RotateSigningKeyDeps } from './commit/rotate-signing-key.ts'
export { type RepoRef, type SignerFor, type WrittenRepo, repoSigner } from './commit/signer-for.ts'
export { type RecordWrite, pathOf } from './commit/record-write.ts'
export {
  BlockNotFoundError,
  BlocksTooLargeError,
  CommitTooLargeError,
  ExportTimeoutError,
  ExportsOverloadedError,
  ImportAbortedError,
  ImportTooLargeError,
  InvalidCursorError,
  InvalidImportError,
  InvalidSwapError,
  RecordNotFoundError,
  RepoDeactivatedError,
  RepoNotFoundError,
  RepoSuspendedError,
  RepoTakendownError,
  WritesOverloadedError,
} from './errors.ts'
export type { RepoAddress } from './export/export-queries.ts'
export { getBlocks } from './export/get-blocks.ts'
export { blockReadsMax, blocksMax, exportsMax, waitingBlockReadsMax } from './export/limits.ts'
export {
  type InactiveStatus,
  type RepoStatus,
  type RepoSummary,
  getRepoStatus,
  listRepos,
} from './export/list-repos.ts'
export { getRecordProof } from './export/record-proof.ts'
export { type ExportOptions, RepoExporter } from './export/repo-exporter.ts'
export { type ReadOptions, getServableRepo } from './export/servable-repo.ts'
export { type ImportDeps, type ImportJob, type ImportResult, importRepo } from './import/import-repo.ts'
export { importWaitMsMax } from './import/limits.ts'
export { type ImportUpload, type UploadedImport, deleteUpload, uploadImport } from './import/upload-import.ts'
export { processTidClock } from './process-clock.ts'
export { notActive, requireActive } from './repo-status.ts'
export { type GrownRepo, listGrownRepos } from './storage/grown-queries.ts'
export { type FoundRepo, findRepo, findRepoRev, listCollections } from './read/read-queries.ts'
export { type RecentRecord, listRecentRecords } from './read/recent-queries.ts'
export { type ListRecordsOptions, RecordReader } from './read/record-reader.ts'
export { type AccountTotals, countAccount } from './storage/account-totals.ts'
export { type RepoCheck, checkRepo, rebuildPacks } from './storage/check-repo.ts'
export { Slots } from './slots.ts'
export { compactRepo } from './storage/compact.ts'
export { deleteRepoContent } from './storage/delete-content.ts'
export { NodeCache } from './storage/node-cache.ts'
export { InvalidPackError } from './storage/pack.ts'
export { type RecordPath, findRecordTakedown, setRecordTakedown } from './takedown/takedown-queries.ts'
export { type RecordInput, type RecordLexicons, type ValidationStatus } from './write/prepare-record.ts'
export { linkOfRecord } from './write/record-link.ts'
export {
  type BatchWrite,
  type WriteDeps,
  type WriteResult,
  type WrittenRecord,
  applyWrites,
  createRecord,
  deleteRecord,
  putRecord,
} from './write/write-records.ts'
