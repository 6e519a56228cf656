import { dayMs, secondMs } from '@rookery/std'

/** Blobs of one archive: its list of them is in memory while it is written, about 100 bytes each. */
export const archiveBlobsMax = 500_000

/** Largest archive, in bytes: what a store takes as one object, in 10,000 parts of 5 MiB. */
export const archiveBytesMax = 48 * 1024 ** 3

/** How often it is noted how far an export has come, in milliseconds. */
export const progressEveryMs = secondMs

/** Exports that one step of the clean-up deletes. */
export const expiredExportsMax = 200

/**
 * Age after which an object of an export that no row knows is deleted, in milliseconds: longer than an export may run.
 */
export const orphanExportAgeMs = dayMs
