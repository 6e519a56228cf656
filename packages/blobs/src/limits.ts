import { minuteMs, secondMs } from '@rookery/std'

/** Keys that one `deleteMany` takes: the most that S3's DeleteObjects does. */
export const deleteManyKeysMax = 1_000

/** Entries that one `list` returns at most: a page of S3's ListObjectsV2. */
export const listEntriesMax = 1_000

/**
 * Bytes of one part of a multipart upload, and the size up to which an object goes in a single request. The least
 * that S3 allows, because an upload in progress holds up to two parts in memory; 10,000 parts make 48 GiB.
 */
export const partBytes = 5 * 1024 * 1024

/** Parts of one upload in flight at once: memory stays at two parts, whatever the size of the blob. */
export const partsInFlightMax = 1

/**
 * Bytes of a write to a file, which are gathered in memory before: larger ones find less of them in the processor's
 * caches, smaller ones are more trips to another thread.
 */
export const fileWriteBytes = 256 * 1024

/** Writes to files of one process that are prepared or under way; more wait. Node's thread pool runs four. */
export const fileBuffersMax = 8

/** Bytes that a file open for direct I/O is written in multiples of: no file system asks for more. */
export const directBlockBytes = 4096

/** Bytes of one read from a file: each is a trip to another thread, and a reader holds at most two. */
export const fileReadBytes = 256 * 1024

/** Chunks that a write to a file gathers before they are joined. */
export const fileWriteChunksMax = 256

/** Directories that a disk store remembers to be durable, about 200 bytes each. */
export const knownDirectoriesMax = 20_000

/** Time to open a connection to the object store, in milliseconds. */
export const connectTimeoutMs = 3 * secondMs

/** Time from sending a request to the head of its response, in milliseconds: a 5 MiB part at 200 kB/s. */
export const requestTimeoutMs = 30 * secondMs

/** Longest silence on a connection while bytes are expected, in milliseconds. */
export const idleTimeoutMs = minuteMs

/** Time for the health check, in milliseconds. */
export const checkTimeoutMs = 3 * secondMs

/** Attempts per request, the first included; only those that the SDK knows to be safe are repeated. */
export const requestAttemptsMax = 3

/** Connections to the object store per process. */
export const connectionsMax = 256

/** Deletions in flight at once where the store has no bulk deletion. */
export const deletesInFlightMax = 16

/** What callers are told to wait before they try again, in milliseconds. */
export const unavailableRetryAfterMs = 5 * secondMs
