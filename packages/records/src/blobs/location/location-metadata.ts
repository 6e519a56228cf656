/**
 * Finds where in a picture or video its place of recording is written, and blanks it out.
 *
 * Looks for the beginnings of such metadata anywhere in the bytes instead of walking through each container: a JPEG
 * has it at its start, a PNG, WebP, HEIC or AVIF where its writer liked, a video often at its very end, and pictures
 * have other pictures and videos inside them. What follows a beginning is then read strictly, so that chance does not
 * look like metadata.
 *
 * - Exif (TIFF 6.0, Exif 3.0 §4.6.6): a directory of GPS tags with a latitude or longitude in it.
 * - XMP: a latitude or longitude in the namespace of Exif.
 * - QuickTime and MP4: `©xyz`, `loci` (3GPP TS 26.244 §8.6) and Apple's key for ISO 6709.
 *
 * Blanking keeps every byte where it is, so nothing else of the file changes and no offset has to. Not seen:
 * metadata that is compressed, such as `zTXt` of PNG.
 */
import { crc32 } from 'node:zlib'

import { locationAheadBytes, locationBehindBytes } from '../limits.ts'
import { type TiffEntry, TiffView } from './tiff-view.ts'

const gpsPointer = 0x88_25
/** GPSLatitude, GPSLongitude, GPSDestLatitude, GPSDestLongitude. */
const locationTags = [2, 4, 20, 22]
const xmpAttribute = /^GPSL\w+itude\s*=\s*["'](?<value>[^"'<]*)/
const xmpElement = /^GPSL\w+itude\s*>(?<value>[^<]*)/
const xmpValueBytesMax = 256
/** Latitude and longitude as ISO 6709 writes them: `+37.3318-122.0305+009.000/`. */
const iso6709 = /[+-]\d{2,6}(?:\.\d+)?[+-]\d{3,7}(?:\.\d+)?(?:[+-]\d+(?:\.\d+)?)?/
/** Larger than any box that holds one text of a location, its name included. */
const locationBoxBytesMax = 4096
/** Version, flags, language, the shortest name, role, three numbers, two more empty texts. */
const lociBytesMin = 22

/** A place in the bytes that tells a location. */
export type LocationMetadata = {
  /** Overwrites the location in place; undefined if it cannot be without breaking the file. */
  blank: (() => void) | undefined
}

/** Where to look. */
export type LocationSearch = {
  /** Only what begins at this offset or later. */
  from: number
  /** Only what begins before this offset. */
  to: number
  /** Whether `bytes` begins with the first byte of the file. */
  isStart: boolean
  /** Whether its container is PNG, whose chunks have checksums. */
  isPng: boolean
}

const appleKey = Buffer.from('com.apple.quicktime.location.ISO6709')
/** As long as the key, and the name of nothing. */
const removedKey = 'com.apple.quicktime.location.removed'

type Reader = (bytes: Buffer, at: number, search: LocationSearch) => LocationMetadata | undefined

const beginnings: readonly { bytes: Buffer; read: Reader }[] = [
  { bytes: Buffer.from('II*\0', 'latin1'), read: readTiff },
  { bytes: Buffer.from('MM\0*', 'latin1'), read: readTiff },
  { bytes: Buffer.from('GPSLatitude'), read: readXmp },
  { bytes: Buffer.from('GPSLongitude'), read: readXmp },
  { bytes: Buffer.from('\xa9xyz', 'latin1'), read: readQuickTimeText },
  { bytes: Buffer.from('loci'), read: readLoci },
  { bytes: appleKey, read: readAppleKey },
]

/**
 * Looks at everything within bounds that begins like a location, in no order, and yields the location that it is, or
 * undefined: whoever calls bounds how many are looked at. Each must have `locationAheadBytes` after it and
 * `locationBehindBytes` before it, or be as near the end or start of the file.
 */
export function* findLocations(
  bytes: Buffer,
  search: LocationSearch,
): Generator<LocationMetadata | undefined> {
  for (const { bytes: beginning, read } of beginnings) {
    let at = bytes.indexOf(beginning, search.from)
    while (at !== -1 && at < search.to) {
      yield read(bytes, at, search)
      at = bytes.indexOf(beginning, at + 1)
    }
  }
}

function readTiff(
  bytes: Buffer,
  at: number,
  { isStart, isPng }: LocationSearch,
): LocationMetadata | undefined {
  const tiff = new TiffView(bytes.subarray(at))
  const main = tiff.directory(tiff.u32(4))
  // A file that is TIFF itself may have its directory anywhere, out of sight.
  if (main === undefined) return isStart && at === 0 ? { blank: undefined } : undefined
  const pointer = main.entries.findIndex(({ tag }) => tag === gpsPointer)
  const pointed = main.entries[pointer]
  if (pointed === undefined) return undefined
  const gps = tiff.directory(tiff.u32(pointed.at + 8))
  if (gps === undefined) return { blank: undefined }
  if (!gps.entries.some((entry) => tellsLocation(tiff, entry))) return undefined
  const values = gps.entries.map((entry) => tiff.valueOf(entry))
  if (values.includes(undefined)) return { blank: undefined }
  const checksum = isPng ? findPngChecksum(bytes, at) : () => undefined
  if (checksum === undefined) return { blank: undefined }
  return {
    blank: () => {
      for (const value of values) value?.fill(0)
      tiff.bytes.fill(0, gps.at, gps.end)
      tiff.removeEntry(main, pointer)
      checksum()
    },
  }
}

function tellsLocation(tiff: TiffView, entry: TiffEntry): boolean {
  if (!locationTags.includes(entry.tag)) return false
  const value = tiff.valueOf(entry)
  return value === undefined || value.some((byte) => byte !== 0)
}

/** Returns what writes the checksum of the eXIf chunk whose data begins there anew. */
function findPngChecksum(bytes: Buffer, at: number): (() => void) | undefined {
  if (at < 8 || bytes.toString('latin1', at - 4, at) !== 'eXIf') return undefined
  const end = at + bytes.readUInt32BE(at - 8)
  if (end + 4 > bytes.length) return undefined
  return () => bytes.writeUInt32BE(crc32(bytes.subarray(at - 4, end)), end)
}

function readXmp(bytes: Buffer, at: number, { isPng }: LocationSearch): LocationMetadata | undefined {
  const before = bytes.toString('latin1', Math.max(0, at - locationBehindBytes), at)
  const after = bytes.toString('latin1', at, at + xmpValueBytesMax)
  const opening = /([<\s])[A-Za-z][\w.-]*:$/.exec(before)?.[1]
  const match = (opening === '<' ? xmpElement : xmpAttribute).exec(after)
  const value = match?.groups?.['value']
  if (opening === undefined || match === null || value === undefined || !/\d/.test(value)) return undefined
  const start = at + match[0].length - value.length
  return { blank: isPng ? undefined : () => bytes.fill(' ', start, start + value.length) }
}

function readQuickTimeText(bytes: Buffer, at: number): LocationMetadata | undefined {
  const box = findSmallBox(bytes, at)
  if (box === undefined || !iso6709.test(box.toString('latin1'))) return undefined
  return { blank: () => freeBox(bytes, at, box) }
}

function readLoci(bytes: Buffer, at: number): LocationMetadata | undefined {
  const box = findSmallBox(bytes, at)
  if (box === undefined || box.length < lociBytesMin || box.readUInt32BE(0) !== 0) return undefined
  const isWide = box.readUInt16BE(6) === 0xfe_ff
  const nameEnd = isWide ? findWideEnd(box, 8) : box.indexOf(0, 6) + 1
  if (nameEnd < 7 || nameEnd + 9 > box.length) return undefined
  const degrees = [box.readInt32BE(nameEnd + 1), box.readInt32BE(nameEnd + 5)].map((fixed) => fixed / 65_536)
  const [east = 0, north = 0] = degrees
  if (Math.abs(east) > 180 || Math.abs(north) > 90) return undefined
  return { blank: () => freeBox(bytes, at, box) }
}

/** A key stands apart from its value: the value is looked for behind it, or the file is not understood. */
function readAppleKey(bytes: Buffer, at: number): LocationMetadata {
  const match = iso6709.exec(bytes.toString('latin1', at, at + locationAheadBytes))
  if (match === null) return { blank: undefined }
  const start = at + match.index
  return {
    blank: () => {
      bytes.write(removedKey, at, 'latin1')
      bytes.fill(' ', start, start + match[0].length)
    },
  }
}

/** Returns what the box holds whose type stands there, if it is as small as those with a location are. */
function findSmallBox(bytes: Buffer, at: number): Buffer | undefined {
  if (at < 4) return undefined
  const size = bytes.readUInt32BE(at - 4)
  if (size < 8 || size > locationBoxBytesMax || at - 4 + size > bytes.length) return undefined
  return bytes.subarray(at + 4, at - 4 + size)
}

/** Makes a box one that readers skip. */
function freeBox(bytes: Buffer, at: number, box: Buffer): void {
  bytes.write('free', at, 'latin1')
  box.fill(0)
}

function findWideEnd(box: Buffer, from: number): number {
  for (let at = from; at + 2 <= box.length; at += 2) if (box.readUInt16BE(at) === 0) return at + 2
  return -1
}
