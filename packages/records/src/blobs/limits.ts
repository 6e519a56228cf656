import { dayMs, hourMs } from '@rookery/std'

/** Longest that one upload may take, in milliseconds: 100 MiB at 30 kB/s. */
export const uploadMsMax = hourMs

/** Bytes from the start of a blob that its type is read from: some formats put metadata before what tells them. */
export const sniffBytes = 64 * 1024

/** Longest media type that is kept, in characters (RFC 6838 allows 127 on each side of the slash). */
export const mimeTypeLengthMax = 255

/** Age after which an upload that no record refers to is deleted, in milliseconds. */
export const temporaryAgeMs = 6 * hourMs

/** The least that `temporaryAgeMs` may be, in milliseconds (SPEC BL-3). */
export const temporaryAgeMsMin = hourMs

/** Time that a blob stays after the last reference to it went, in milliseconds: a record may be put back. */
export const unreferencedAgeMs = hourMs

/**
 * Age after which an object without a row is deleted, in milliseconds. An object is dated from the start of its
 * upload and gets its row at the end.
 */
export const orphanAgeMs = dayMs

/** The least that `orphanAgeMs` may be, in milliseconds: twice the longest upload. */
export const orphanAgeMsMin = 2 * uploadMsMax

/** Blobs that one step of the collector deletes: one bulk deletion of the store. */
export const collectRowsMax = 500

/** Blobs on a page of `listBlobs` and `listMissingBlobs` (SPEC §8). */
export const listBlobsMax = 1_000

/** Bytes of an upload that are held back while a location is looked for in them, at most. */
export const locationWindowBytes = 512 * 1024

/** Bytes behind the beginning of metadata in which all of it must lie: a JPEG allows 64 KiB for its Exif. */
export const locationAheadBytes = 128 * 1024

/** Bytes before the beginning of metadata that are needed to understand it: names, sizes of chunks and boxes. */
export const locationBehindBytes = 64

/**
 * Places in one upload that are looked at because they begin like a location. Random bytes have one in a gigabyte or
 * two, a file made to keep us busy millions.
 */
export const locationBeginningsMax = 1_000
