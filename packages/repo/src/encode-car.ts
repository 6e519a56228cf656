import { type Cid, cidBytes } from '@rookery/syntax'

import { type Block, BlockMap } from './block.ts'
import { CborWriter } from './cbor.ts'

const writer = new CborWriter(128)
/** Bytes of the header: its length, then `{ roots: [link], version: 1 }`. */
const headerBytes = 59

/**
 * Returns the header of a CAR with one root: the first chunk of an export (SPEC CAR-1).
 *
 * @example
 * response.write(carHeader(head.cid))
 */
export function carHeader(root: Cid): Buffer {
  writer.at = 0
  writer.byte(headerBytes - 1)
  writer.byte(0xa2)
  writer.ascii('roots')
  writer.head(0x80, 1)
  writer.link(root)
  writer.ascii('version')
  writer.head(0, 1)
  return writer.take()
}

/**
 * Returns what goes before a block's bytes in a CAR: the section's length and the CID. Written apart from the
 * bytes so that large blocks need not be copied.
 *
 * @example
 * stream.write(carSectionHeader(block.cid, block.bytes.length))
 * stream.write(block.bytes)
 */
export function carSectionHeader(cid: Cid, blockBytes: number): Buffer {
  const out = Buffer.allocUnsafe(varintBytes(cidBytes + blockBytes) + cidBytes)
  writeCarSectionHeader(out, 0, cid, blockBytes)
  return out
}

/**
 * Returns how many bytes a block takes up in a CAR.
 *
 * @example
 * carSectionBytes(record.bytes.length) // 38 or a little more than the block
 */
export function carSectionBytes(blockBytes: number): number {
  const sectionBytes = cidBytes + blockBytes
  return varintBytes(sectionBytes) + sectionBytes
}

/**
 * Returns a whole CAR: the root and the blocks in the order given, each once.
 *
 * @example
 * encodeCar(commit.cid, [commit]) // the blocks of a #sync event
 */
export function encodeCar(root: Cid, blocks: Iterable<Block>): Buffer {
  return encodeDistinct(root, [...new BlockMap(blocks)])
}

/** Returns a whole CAR of blocks that are known to be distinct. */
export function encodeDistinct(root: Cid, blocks: readonly Block[]): Buffer {
  let size = headerBytes
  for (const { bytes } of blocks) size += carSectionBytes(bytes.length)
  const out = Buffer.allocUnsafe(size)
  let at = carHeader(root).copy(out)
  for (const { cid, bytes } of blocks) {
    at = writeCarSectionHeader(out, at, cid, bytes.length)
    out.set(bytes, at)
    at += bytes.length
  }
  return out
}

/**
 * Writes what `carSectionHeader` returns into a buffer, which must have room for 41 bytes, and returns where it ends.
 *
 * @example
 * const at = writeCarSectionHeader(chunk, 0, block.cid, block.bytes.length)
 * chunk.set(block.bytes, at)
 */
export function writeCarSectionHeader(out: Uint8Array, offset: number, cid: Cid, blockBytes: number): number {
  let at = offset
  let length = cidBytes + blockBytes
  while (length >= 0x80) {
    out[at++] = (length & 0x7f) | 0x80
    length = Math.floor(length / 0x80)
  }
  out[at++] = length
  out.set(cid, at)
  return at + cidBytes
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++
  return bytes
}
