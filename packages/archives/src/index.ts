export {
  ArchiveTooLargeError,
  ExportExistsError,
  ExportNotFoundError,
  InvalidArchiveError,
} from './errors.ts'
export { type BuildExportDeps, buildExport } from './exports/build-export.ts'
export {
  collectExpiredExports,
  collectOrphanExports,
  deleteExportObjects,
} from './exports/collect-exports.ts'
export { type AccountExport, findExport } from './exports/export-queries.ts'
export { deleteExport, getReadyExport, openExport, requestExport } from './exports/request-export.ts'
export {
  type ArchiveDeps,
  type ArchiveEntry,
  type ArchiveSubject,
  archiveEntries,
} from './format/archive-entries.ts'
export {
  type ArchivedAccount,
  archiveFiles,
  archiveName,
  parseArchivedAccount,
} from './format/archive-files.ts'
export { extractArchive } from './tar/extract-archive.ts'
