import { hourMs, minuteMs, secondMs } from '@rookery/std'

/** How far an imported rev may be ahead of the clock, in microseconds: what relays tolerate (SPEC REP-3). */
export const importRevAheadMicrosMax = 5 * 60 * 1_000_000

/** Longest upload of a CAR, in milliseconds. */
export const importUploadMsMax = hourMs

/** How long a request waits for its import, in milliseconds; the import goes on after that. */
export const importWaitMsMax = 10 * minuteMs

/** Bytes of tree nodes of one import that are kept in memory; the rest is read from the staging table. */
export const importNodeBytesMax = 64 * 1024 * 1024

/** Size at which rows are handed to PostgreSQL, in bytes. */
export const importCopyBytes = 256 * 1024

/** Blocks after which staging lets other work run: about a millisecond. */
export const importYieldBlocks = 128

/** How often an import tells how far it has come, in milliseconds. */
export const importProgressMs = secondMs

/** Most references to blobs in one imported repo: as many rows are written, whatever few bytes hold them. */
export const importBlobRefsMax = 2_000_000

/** Memory of one sort or hash table of PostgreSQL in an import; larger ones go to its disk. */
export const importWorkMem = '32MB'
