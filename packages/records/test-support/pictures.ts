import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** Byte order of a TIFF. */
export type TiffOrder = 'II' | 'MM'

/** An Exif block: an orientation, a text, and 52°31' N 13°24' E unless it is to be without. */
export function exif(order: TiffOrder = 'II', hasLocation = true): Buffer {
  const u16 = (value: number): Buffer => number(2, value, order)
  const u32 = (value: number): Buffer => number(4, value, order)
  const entry = (tag: number, type: number, count: number, value: Buffer): Buffer =>
    Buffer.concat([u16(tag), u16(type), u32(count), Buffer.concat([value, Buffer.alloc(4)]).subarray(0, 4)])
  const directory = (entries: Buffer[]): Buffer => Buffer.concat([u16(entries.length), ...entries, u32(0)])
  const make = Buffer.from('Rookery camera\0')
  const mainEntries = hasLocation ? 3 : 2
  const makeAt = 8 + 2 + mainEntries * 12 + 4
  const gpsAt = makeAt + make.length + 1
  const valuesAt = gpsAt + 2 + 4 * 12 + 4
  const main = directory([
    entry(0x010f, 2, make.length, u32(makeAt)),
    entry(0x0112, 3, 1, u16(6)),
    ...(hasLocation ? [entry(0x8825, 4, 1, u32(gpsAt))] : []),
  ])
  const head = [Buffer.from(order), u16(42), u32(8), main, make, Buffer.alloc(1)]
  if (!hasLocation) return Buffer.concat(head)
  const gps = directory([
    entry(1, 2, 2, Buffer.from('N\0')),
    entry(2, 5, 3, u32(valuesAt)),
    entry(3, 2, 2, Buffer.from('E\0')),
    entry(4, 5, 3, u32(valuesAt + 24)),
  ])
  const rationals = [52, 1, 31, 1, 0, 1, 13, 1, 24, 1, 0, 1].map(u32)
  return Buffer.concat([...head, gps, ...rationals])
}

/** A JPEG with metadata segments before its data and bytes behind it. */
export function jpeg(segments: Buffer[], tail: Buffer = randomBytes(1000)): Buffer {
  const dimensions = Buffer.from('ffc0000b080001000101011100', 'hex')
  const scan = Buffer.from('ffda0008010100003f00', 'hex')
  return Buffer.concat([
    Buffer.from('ffd8', 'hex'),
    ...segments,
    dimensions,
    scan,
    withoutMarkers(tail),
    Buffer.from('ffd9', 'hex'),
  ])
}

/** A JPEG's segment with Exif in it. */
export function exifSegment(block: Buffer): Buffer {
  return segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), block]))
}

/** A JPEG's segment with XMP in it. */
export function xmpSegment(packet: string): Buffer {
  return segment(0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${packet}`))
}

/** An XMP packet with a description's attributes and elements. */
export function xmp(attributes: string, elements = ''): string {
  return (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
    `<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" ${attributes}>${elements}` +
    '</rdf:Description></rdf:RDF></x:xmpmeta>'
  )
}

/** A PNG of one pixel with further chunks before its end. */
export function pngWith(chunks: Buffer[]): Buffer {
  const header = Buffer.from('00000001000000010802000000', 'hex')
  const data = Buffer.from('789c63f8cfc0000003010100', 'hex')
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', data),
    ...chunks,
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

/** A chunk of a PNG, with its checksum. */
export function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  return Buffer.concat([number(4, data.length, 'MM'), body, number(4, crc32(body), 'MM')])
}

/** A WebP with an EXIF chunk behind its picture. */
export function webp(block: Buffer, picture: Buffer = randomBytes(1000)): Buffer {
  const chunk = (type: string, data: Buffer): Buffer =>
    Buffer.concat([Buffer.from(type), number(4, data.length, 'II'), data, Buffer.alloc(data.length % 2)])
  const chunks = Buffer.concat([
    Buffer.from('WEBP'),
    chunk('VP8X', Buffer.from('08000000000000000000', 'hex')),
    chunk('VP8L', picture),
    chunk('EXIF', block),
  ])
  return Buffer.concat([Buffer.from('RIFF'), number(4, chunks.length, 'II'), chunks])
}

/** A HEIC or AVIF whose Exif item is the last of its bytes. */
export function heif(brand: 'heic' | 'avif', block: Buffer, picture: Buffer = randomBytes(1000)): Buffer {
  const item = Buffer.concat([number(4, 6, 'MM'), Buffer.from('Exif\0\0'), block])
  const ftyp = box('ftyp', Buffer.from(`${brand}\0\0\0\0mif1${brand}`))
  const infe = box(
    'infe',
    Buffer.concat([Buffer.from('02000000', 'hex'), Buffer.from('00010000', 'hex'), Buffer.from('Exif\0')]),
  )
  const meta = (offset: number): Buffer =>
    box(
      'meta',
      Buffer.concat([
        Buffer.alloc(4),
        box('hdlr', Buffer.concat([Buffer.alloc(8), Buffer.from('pict'), Buffer.alloc(13)])),
        box('iinf', Buffer.concat([Buffer.alloc(4), Buffer.from('0001', 'hex'), infe])),
        box(
          'iloc',
          Buffer.concat([
            Buffer.from('00000000', 'hex'),
            Buffer.from('4400', 'hex'),
            Buffer.from('0001', 'hex'),
            Buffer.from('00010000', 'hex'),
            Buffer.from('0001', 'hex'),
            number(4, offset, 'MM'),
            number(4, item.length, 'MM'),
          ]),
        ),
      ]),
    )
  const offset = ftyp.length + meta(0).length + 8 + picture.length
  return Buffer.concat([ftyp, meta(offset), box('mdat', Buffer.concat([picture, item]))])
}

/** An MP4 whose `moov`, with further boxes in it, lies behind its data. */
export function mp4(boxes: Buffer[], data: Buffer = randomBytes(1000)): Buffer {
  return Buffer.concat([
    box('ftyp', Buffer.from('isom\0\0\0\0isommp42')),
    box('mdat', data),
    box('moov', Buffer.concat([box('mvhd', Buffer.alloc(100)), ...boxes])),
  ])
}

/** A box of an ISO base media file; the type's characters are its bytes. */
export function box(type: string, content: Buffer): Buffer {
  return Buffer.concat([number(4, content.length + 8, 'MM'), Buffer.from(type, 'latin1'), content])
}

/** QuickTime's text of a location. */
export function quickTimeText(text: string): Buffer {
  const bytes = Buffer.from(text)
  return box(
    'udta',
    box('\u00a9xyz', Buffer.concat([number(2, bytes.length, 'MM'), Buffer.from('15c7', 'hex'), bytes])),
  )
}

/** 3GPP's box of a location. */
export function loci(east: number, north: number): Buffer {
  const fixed = (degrees: number): Buffer => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(degrees * 65_536)
    return bytes
  }
  const content = [
    Buffer.from('0000000015c7', 'hex'),
    Buffer.from('Home\0\0'),
    fixed(east),
    fixed(north),
    fixed(0),
    Buffer.from('earth\0\0'),
  ]
  return box('udta', box('loci', Buffer.concat(content)))
}

/** Apple's table of keys and values, with a location. */
export function appleKeys(value: string): Buffer {
  const key = Buffer.from('com.apple.quicktime.location.ISO6709')
  const data = box('data', Buffer.concat([number(4, 1, 'MM'), number(4, 0, 'MM'), Buffer.from(value)]))
  return box(
    'meta',
    Buffer.concat([
      box(
        'keys',
        Buffer.concat([
          number(4, 0, 'MM'),
          number(4, 1, 'MM'),
          number(4, key.length + 8, 'MM'),
          Buffer.from('mdta'),
          key,
        ]),
      ),
      box('ilst', box('\0\0\0\u0001', data)),
    ]),
  )
}

function segment(marker: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xff, marker]), number(2, data.length + 2, 'MM'), data])
}

/** In a JPEG's data the byte 255 begins a marker. */
function withoutMarkers(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => Math.min(byte, 254)))
}

function number(bytes: 2 | 4, value: number, order: TiffOrder): Buffer {
  const buffer = Buffer.alloc(bytes)
  if (order === 'II') buffer.writeUIntLE(value, 0, bytes)
  else buffer.writeUIntBE(value, 0, bytes)
  return buffer
}
