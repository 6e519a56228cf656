import { randomBytes } from 'node:crypto'

import ExifReader from 'exifreader'
import { describe, expect, test } from 'vitest'

import {
  appleKeys,
  box,
  exif,
  exifSegment,
  heif,
  jpeg,
  loci,
  mp4,
  pngChunk,
  pngWith,
  quickTimeText,
  webp,
  xmp,
  xmpSegment,
} from '../../../test-support/pictures.ts'
import { BlobLocationRefusedError } from '../errors.ts'
import { locationBeginningsMax, locationWindowBytes } from '../limits.ts'
import { LocationFilter, type LocationPolicy, canTellLocation } from './location-filter.ts'

const attributes = 'exif:GPSLatitude="52,31N" exif:GPSLongitude="13,24E"'
const elements = '<exif:GPSLatitude>52,31N</exif:GPSLatitude>'
const place = '+52.5167+013.4000+034.000/'
const beginnings = (count: number): Buffer => jpeg([], Buffer.from('GPSLatitude'.repeat(count)))
const big = (): Buffer => randomBytes(3 * locationWindowBytes)

/** Every kind of file with a location in it, and whether it can be taken out. */
const located: Record<string, { type: string; file: () => Buffer; isStrippable: boolean }> = {
  'JPEG, little-endian Exif': {
    type: 'image/jpeg',
    file: () => jpeg([exifSegment(exif('II'))]),
    isStrippable: true,
  },
  'JPEG, big-endian Exif': {
    type: 'image/jpeg',
    file: () => jpeg([exifSegment(exif('MM'))]),
    isStrippable: true,
  },
  'JPEG, XMP attributes': {
    type: 'image/jpeg',
    file: () => jpeg([xmpSegment(xmp(attributes))]),
    isStrippable: true,
  },
  'JPEG, XMP elements': {
    type: 'image/jpeg',
    file: () => jpeg([xmpSegment(xmp('', elements))]),
    isStrippable: true,
  },
  'JPEG with another in it': {
    type: 'image/jpeg',
    file: () => Buffer.concat([jpeg([], big()), jpeg([exifSegment(exif())])]),
    isStrippable: true,
  },
  'PNG, Exif behind the picture': {
    type: 'image/png',
    file: () => pngWith([pngChunk('eXIf', exif('MM'))]),
    isStrippable: true,
  },
  'PNG, XMP': {
    type: 'image/png',
    file: () => pngWith([pngChunk('iTXt', Buffer.from(`XML:com.adobe.xmp\0\0\0\0\0${xmp(attributes)}`))]),
    isStrippable: false,
  },
  WebP: { type: 'image/webp', file: () => webp(exif(), big()), isStrippable: true },
  HEIC: { type: 'image/heic', file: () => heif('heic', exif('MM'), big()), isStrippable: true },
  AVIF: { type: 'image/avif', file: () => heif('avif', exif()), isStrippable: true },
  TIFF: { type: 'image/tiff', file: () => exif(), isStrippable: true },
  'TIFF, directory out of sight': {
    type: 'image/tiff',
    file: () => Buffer.concat([Buffer.from('II*\0\0\0\0\u0040', 'latin1'), big()]),
    isStrippable: false,
  },
  'MP4, QuickTime text at the end': {
    type: 'video/mp4',
    file: () => mp4([quickTimeText(place)], big()),
    isStrippable: true,
  },
  'MP4, loci': { type: 'video/mp4', file: () => mp4([loci(13.4, 52.5)]), isStrippable: true },
  "MP4, Apple's keys": { type: 'video/quicktime', file: () => mp4([appleKeys(place)]), isStrippable: true },
  "MP4, Apple's key with its values elsewhere": {
    type: 'video/quicktime',
    file: () => mp4([box('keys', Buffer.from('com.apple.quicktime.location.ISO6709'))], Buffer.alloc(100)),
    isStrippable: false,
  },
}

/** Files that look alike and tell no location. */
const innocent: Record<string, { type: string; file: () => Buffer }> = {
  'random bytes': { type: 'image/jpeg', file: () => jpeg([], big()) },
  'Exif without GPS': { type: 'image/jpeg', file: () => jpeg([exifSegment(exif('II', false))]) },
  'XMP that names the properties only': {
    type: 'image/jpeg',
    file: () => jpeg([xmpSegment(xmp('exif:GPSLatitude=""'))]),
  },
  'text about GPS': {
    type: 'image/jpeg',
    file: () => jpeg([xmpSegment('GPSLatitude="52" GPSLongitude = 13')]),
  },
  'as many beginnings as are looked at': {
    type: 'image/jpeg',
    file: () => beginnings(locationBeginningsMax),
  },
  'a video without': {
    type: 'video/mp4',
    file: () => mp4([box('udta', box('loci', Buffer.alloc(3)))], big()),
  },
}

function pass(
  policy: Exclude<LocationPolicy, 'allow'>,
  type: string,
  file: Buffer,
  chunkBytes = 65_536,
): Buffer {
  const filter = new LocationFilter(policy, type)
  const out: Buffer[] = []
  for (let at = 0; at < file.length; at += chunkBytes) {
    // What is blanked belongs to the stream alone, as in an upload.
    const passed = filter.write(Buffer.from(file.subarray(at, at + chunkBytes)))
    if (passed) out.push(passed)
  }
  return Buffer.concat([...out, filter.end()])
}

const hasLocation = (type: string, file: Buffer): boolean => {
  try {
    pass('reject', type, file)
    return false
  } catch (error) {
    if (error instanceof BlobLocationRefusedError) return true
    throw error
  }
}

describe('a location is found', () => {
  test.for(Object.entries(located))('in %s', ([, { type, file }]) => {
    expect(hasLocation(type, file())).toBe(true)
  })

  test.for(Object.entries(innocent))('but not in %s', ([, { type, file }]) => {
    const bytes = file()
    expect(hasLocation(type, bytes)).toBe(false)
    expect(pass('strip', type, bytes).equals(bytes)).toBe(true)
  })

  test('or the file refused when too many places look like one', () => {
    expect(() => pass('strip', 'image/jpeg', beginnings(locationBeginningsMax + 1))).toThrow(
      BlobLocationRefusedError,
    )
  })

  test('wherever it lies, however the file is cut', () => {
    for (let round = 0; round < 40; round++) {
      const at = locationWindowBytes - 200 + round * 10
      const file = Buffer.concat([Buffer.alloc(at), exif(), Buffer.alloc(locationWindowBytes)])
      const chunkBytes = [60_000, 65_536, 300_001, 2_000_000][round % 4]
      const out = pass('strip', 'image/heic', file, chunkBytes)
      expect(out.length).toBe(file.length)
      expect(hasLocation('image/heic', out)).toBe(false)
      expect(out.subarray(0, at).equals(file.subarray(0, at))).toBe(true)
    }
  })
})

describe('a location is taken out', () => {
  test.for(Object.entries(located).filter(([, { isStrippable }]) => isStrippable))(
    'of %s',
    ([, { type, file }]) => {
      const before = file()
      const after = pass('strip', type, before)
      expect(hasLocation(type, after)).toBe(false)
      expect(after.length).toBe(before.length)
      for (const text of ['52,31N', '13,24E', '+52.5167']) expect(after.includes(text)).toBe(false)
      expect(pass('strip', type, after).equals(after)).toBe(true)
    },
  )

  test.for(Object.entries(located).filter(([, { isStrippable }]) => !isStrippable))(
    'or the file refused: %s',
    ([, { type, file }]) => {
      expect(() => pass('strip', type, file())).toThrow(BlobLocationRefusedError)
    },
  )

  test.for([
    ['JPEG', 'image/jpeg', jpeg([exifSegment(exif('MM'))])],
    ['PNG', 'image/png', pngWith([pngChunk('eXIf', exif('II'))])],
    ['WebP', 'image/webp', webp(exif())],
    ['HEIC', 'image/heic', heif('heic', exif())],
    ['AVIF', 'image/avif', heif('avif', exif('MM'))],
  ] as const)('of %s as another reader of Exif sees it, and nothing else', ([, type, file]) => {
    const before = ExifReader.load(file, { expanded: true })
    expect(before.gps).toMatchObject({ Latitude: 52 + 31 / 60, Longitude: 13.4 })
    const after = ExifReader.load(pass('strip', type, file), { expanded: true })
    expect(after.gps).toBeUndefined()
    expect(after.exif).toMatchObject({ Orientation: { value: 6 }, Make: { description: 'Rookery camera' } })
  })

  test('of a PNG whose checksums hold afterwards', () => {
    const file = pngWith([pngChunk('eXIf', exif())])
    const after = pass('strip', 'image/png', file)
    const data = after.subarray(after.indexOf('eXIf') + 4, after.length - 16)
    expect(pngWith([pngChunk('eXIf', data)]).equals(after)).toBe(true)
  })
})

test('pictures, videos and their sound may tell a location, text may not', () => {
  const types = ['image/jpeg', 'video/mp4', 'audio/mp4', 'text/plain', 'application/json', 'audio/mpeg']
  expect(types.map(canTellLocation)).toEqual([true, true, true, false, false, false])
})
