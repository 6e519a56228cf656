/**
 * Tree nodes packed into one row. Version 1: the byte 1, then per node
 *
 *   8 bytes  rev that introduced the node to the tree, as the number that a TID is
 *   32 bytes digest of its CID, whose other four bytes are always the same
 *   4 bytes  length, big-endian
 *   …        the node
 *
 * The directory of a base pack is: the byte 1, the number of chunks (4 bytes), per chunk the number of its nodes
 * (4) and the first four bytes of each one's digest; then nodes as above: those above every chunk. Four bytes tell
 * which chunk to read, for less than one hundredth of the tree's size; a wrong guess costs a read and no more.
 */
import { DomainError } from '@rookery/std'
import { type Cid, type Tid, cidBytes } from '@rookery/syntax'

/** A node and the rev at which it came, or came back, into the tree. */
export type PackedNode = { readonly cid: Cid; readonly bytes: Uint8Array; readonly rev: Tid }

/** Is thrown for a pack that this version can't read: the row is damaged or of a newer version. */
export class InvalidPackError extends DomainError {
  override readonly name = 'InvalidPackError'
  readonly code = 'InvalidPack'
}

const version = 1
const revBytes = 8
export const digestBytes = 32
const prefixBytes = 4
const nodeHeadBytes = revBytes + digestBytes + 4
/** Where a pack's first node begins. */
export const firstPlace = 1
/** What the CID of every node begins with. */
export const cidHead = Buffer.from([0x01, 0x71, 0x12, 0x20])

/** Returns the pack of one commit's new nodes. */
export function encodePack(nodes: readonly { cid: Cid; bytes: Uint8Array }[], rev: Tid): Buffer {
  let size = 1
  for (const { bytes } of nodes) size += nodeHeadBytes + bytes.length
  const out = Buffer.allocUnsafe(size)
  const revBytes = encodeRev(rev)
  let at = out.writeUInt8(version)
  for (const { cid, bytes } of nodes) at = writeNode(out, at, { cid, bytes, revBytes })
  return out
}

/** Collects nodes for one chunk of a base pack. */
export class ChunkBuilder {
  readonly #parts: Buffer[] = []
  readonly #prefixes: Buffer[] = []
  /** Bytes so far. */
  size = 0

  /** Adds a copy of a node. */
  add(node: PackedNode): void {
    const part = Buffer.allocUnsafe(nodeHeadBytes + node.bytes.length)
    writeNode(part, 0, { cid: node.cid, bytes: node.bytes, revBytes: encodeRev(node.rev) })
    this.#parts.push(part)
    this.#prefixes.push(Buffer.from(node.cid.subarray(cidHead.length, cidHead.length + prefixBytes)))
    this.size += part.length
  }

  /** Adds everything of another chunk. */
  append(other: ChunkBuilder): void {
    this.#parts.push(...other.#parts)
    this.#prefixes.push(...other.#prefixes)
    this.size += other.size
  }

  /** Returns the chunk's row and what the directory says of it. */
  finish(): { bytes: Buffer; prefixes: Buffer } {
    return {
      bytes: Buffer.concat([Buffer.from([version]), ...this.#parts]),
      prefixes: Buffer.concat(this.#prefixes),
    }
  }
}

/** Returns the directory of a base pack. */
export function encodeDirectory(chunks: readonly Buffer[], top: ChunkBuilder): Buffer {
  const parts = [Buffer.from([version]), uint32(chunks.length)]
  for (const prefixes of chunks) parts.push(uint32(prefixes.length / prefixBytes), prefixes)
  parts.push(top.finish().bytes.subarray(1))
  return Buffer.concat(parts)
}

/** Where the nodes of a base pack lie, as its directory tells. */
export class Directory {
  readonly #prefixes: Buffer[]

  constructor(prefixes: Buffer[]) {
    this.#prefixes = prefixes
  }

  /** How many chunks there are; their numbers in the table start at `firstChunk`. */
  get chunks(): number {
    return this.#prefixes.length
  }

  /** Returns the chunks, counted from 0, that may hold one of the nodes. */
  chunksOf(cids: readonly Cid[]): number[] {
    const wanted = cids.map((cid) => Buffer.from(cid.buffer, cid.byteOffset + cidHead.length, prefixBytes))
    const found: number[] = []
    for (const [index, prefixes] of this.#prefixes.entries()) {
      if (wanted.some((prefix) => includes(prefixes, prefix))) found.push(index)
    }
    return found
  }
}

/**
 * Reads a pack and gives each node to `visit`. The bytes are views of the input.
 *
 * @throws {InvalidPackError} if the pack is damaged or of a newer version.
 */
export function readPack(pack: Buffer, visit: (node: PackedNode) => void): void {
  readNodes(pack, firstPlace, visit)
}

/**
 * Reads a base pack's directory; the nodes that it holds itself go to `visit`.
 *
 * @throws {InvalidPackError} if it is damaged or of a newer version.
 */
export function readDirectory(row: Buffer, visit: (node: PackedNode) => void): Directory {
  const { directory, nodesAt } = openDirectory(row)
  readNodes(row, nodesAt, visit)
  return directory
}

/**
 * Reads a base pack's directory, and tells where the nodes begin that it holds itself.
 *
 * @throws {InvalidPackError} if it is damaged or of a newer version.
 */
export function openDirectory(row: Buffer): { directory: Directory; nodesAt: number } {
  checkVersion(row)
  if (row.length < 5) throw new InvalidPackError('a directory is cut short')
  let at = 5
  const prefixes: Buffer[] = []
  for (let chunks = row.readUInt32BE(1); chunks > 0; chunks--) {
    if (at + 4 > row.length) throw new InvalidPackError('a directory is cut short')
    const end = at + 4 + row.readUInt32BE(at) * prefixBytes
    if (end > row.length) throw new InvalidPackError('a directory is cut short')
    prefixes.push(row.subarray(at + 4, end))
    at = end
  }
  return { directory: new Directory(prefixes), nodesAt: at }
}

/**
 * Gives `visit` the place of each node of a pack.
 *
 * @throws {InvalidPackError} if the pack is damaged or of a newer version.
 */
export function eachPlace(pack: Buffer, start: number, visit: (at: number) => void): void {
  checkVersion(pack)
  let at = start
  while (at < pack.length) {
    const end = placeEnd(pack, at)
    visit(at)
    at = end
  }
}

/** Where the digest of a node begins that begins at a place. */
export function placeDigest(at: number): number {
  return at + revBytes
}

/** Where the bytes of a node begin that begins at a place. */
export function placeStart(at: number): number {
  return at + nodeHeadBytes
}

/**
 * Where a node ends that begins at a place, and the next begins.
 *
 * @throws {InvalidPackError} if it is not all there.
 */
export function placeEnd(pack: Buffer, at: number): number {
  const isCut = at + nodeHeadBytes > pack.length
  const end = isCut ? at : at + nodeHeadBytes + pack.readUInt32BE(at + revBytes + digestBytes)
  if (isCut || end > pack.length) throw new InvalidPackError('a pack is cut short')
  return end
}

/** Tells whether the node at a place came into the tree above a rev, which is given as `encodeRev` does. */
export function isAbove(pack: Buffer, at: number, rev: Buffer): boolean {
  return pack.compare(rev, 0, revBytes, at, at + revBytes) > 0
}

function readNodes(pack: Buffer, start: number, visit: (node: PackedNode) => void): void {
  let lastRev = pack.subarray(0, 0)
  let rev: Tid = ''
  eachPlace(pack, start, (at) => {
    const revOfNode = pack.subarray(at, at + revBytes)
    if (!revOfNode.equals(lastRev)) {
      rev = decodeRev(revOfNode)
      lastRev = revOfNode
    }
    const cid = Buffer.allocUnsafe(cidBytes)
    cid.set(cidHead)
    pack.copy(cid, cidHead.length, placeDigest(at), placeDigest(at) + digestBytes)
    visit({ cid, rev, bytes: pack.subarray(placeStart(at), placeEnd(pack, at)) })
  })
}

function writeNode(out: Buffer, at: number, node: { cid: Cid; bytes: Uint8Array; revBytes: Buffer }): number {
  // The rev is written over what every CID begins with: the digest needs no view of its own.
  out.set(node.cid, at + revBytes - cidHead.length)
  out.set(node.revBytes, at)
  out.writeUInt32BE(node.bytes.length, at + 8 + digestBytes)
  out.set(node.bytes, at + nodeHeadBytes)
  return at + nodeHeadBytes + node.bytes.length
}

/** @throws {InvalidPackError} if the row is of a newer version. */
export function checkVersion(row: Buffer): void {
  if (row[0] !== version) throw new InvalidPackError(`a pack is of version ${row[0]}`)
}

function includes(prefixes: Buffer, prefix: Buffer): boolean {
  let at = prefixes.indexOf(prefix)
  // A match across two prefixes is none.
  while (at >= 0 && at % prefixBytes !== 0) at = prefixes.indexOf(prefix, at + 1)
  return at >= 0
}

function uint32(value: number): Buffer {
  const out = Buffer.allocUnsafe(4)
  out.writeUInt32BE(value)
  return out
}

const alphabet = '234567abcdefghijklmnopqrstuvwxyz'

/** Returns the eight bytes of a TID's number: 40 bits of its first eight digits and 25 of the other five. */
export function encodeRev(rev: Tid): Buffer {
  const high = digits(rev, 0, 8)
  const low = digits(rev, 8, 13)
  const out = Buffer.allocUnsafe(8)
  out.writeUInt32BE(Math.floor(high / 2 ** 7), 0)
  out.writeUInt32BE((high % 2 ** 7) * 2 ** 25 + low, 4)
  return out
}

/** Returns the TID of eight bytes. */
export function decodeRev(bytes: Buffer): Tid {
  const high = bytes.readUInt32BE(0)
  const low = bytes.readUInt32BE(4)
  return text(high * 2 ** 7 + Math.floor(low / 2 ** 25), 8) + text(low % 2 ** 25, 5)
}

function digits(rev: Tid, start: number, end: number): number {
  let value = 0
  for (let i = start; i < end; i++) value = value * 32 + alphabet.indexOf(rev[i] ?? '')
  return value
}

function text(number: number, count: number): string {
  let out = ''
  let value = number
  for (let i = 0; i < count; i++) {
    out = alphabet[value % 32] + out
    value = Math.floor(value / 32)
  }
  return out
}
