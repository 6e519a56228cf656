import { must } from '@rookery/std'
import { cidBytes } from '@rookery/syntax'

import { InvalidNodeError } from './errors.ts'
import { decodeNode } from './node.ts'

/** Bytes of a link before its CID: tag 42, the head of a byte string, a zero byte. */
const linkHeadBytes = 5

/**
 * The slots of an encoded node, found where they lie: for whoever passes on nodes that this engine has made or
 * verified, and needs their order and little of their content. An object serves for one node after the other.
 *
 * @example
 * slots.read(pack, start, end)
 * for (let i = 0; i < slots.count; i++) if (!slots.isRecord(i)) visit(slots.bytes, slots.cidAt(i))
 */
export class NodeSlots {
  /** What the node lies in. */
  bytes: Buffer = Buffer.alloc(0)
  /** Where it begins. */
  start = 0
  /** Where it ends. */
  end = 0
  /** How many slots there are, from left to right. */
  count = 0
  /** Where the first slot is among `#slots`: behind the place of a leftmost subtree if there is none. */
  #first = 0
  /** For each slot twice the place of its CID, and one more for a record. */
  readonly #slots: number[] = []
  #firstKeyAt = 0
  #firstKeyBytes = 0
  /** What each key shares at least with the one before. */
  #sharedMin = 0

  /**
   * Goes to another node. Checks that it has the form of a node, and nothing else.
   *
   * @throws {InvalidNodeError}
   */
  read(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.#firstKeyBytes = 0
    this.#sharedMin = Number.POSITIVE_INFINITY
    let at = expect(bytes, start, 0xa2_61_65)
    const entries = number(bytes, at, 0x80)
    at += headBytes(entries)
    // The leftmost subtree's link comes last.
    let count = 1
    for (let i = 0; i < entries; i++) {
      at = expect(bytes, at, 0xa4_61_6b)
      const keyBytes = number(bytes, at, 0x40)
      at += headBytes(keyBytes)
      if (i === 0) {
        this.#firstKeyAt = at
        this.#firstKeyBytes = keyBytes
      }
      at += keyBytes
      at = field(bytes, at, 0x70)
      const shared = number(bytes, at, 0)
      at += headBytes(shared)
      if (i > 0 && shared < this.#sharedMin) this.#sharedMin = shared
      at = field(bytes, at, 0x74)
      let right = 0
      if (bytes[at] === 0xf6) at++
      else {
        right = link(bytes, at)
        at = right + cidBytes
      }
      at = field(bytes, at, 0x76)
      const value = link(bytes, at)
      at = value + cidBytes
      this.#slots[count++] = value * 2 + 1
      if (right > 0) this.#slots[count++] = right * 2
    }
    at = field(bytes, at, 0x6c)
    let from = 1
    if (bytes[at] === 0xf6) at++
    else {
      const left = link(bytes, at)
      this.#slots[0] = left * 2
      from = 0
      at = left + cidBytes
    }
    if (at !== end) invalid('it is longer or shorter than it should be')
    this.#first = from
    this.count = count - from
  }

  /** Tells whether a slot is a record; otherwise it is a subtree. */
  isRecord(slot: number): boolean {
    return (must(this.#slots[slot + this.#first]) & 1) === 1
  }

  /** Returns where the CID of a slot begins in `bytes`. */
  cidAt(slot: number): number {
    return must(this.#slots[slot + this.#first]) >>> 1
  }

  /** Tells whether every path in the node begins with these bytes. */
  allBeginWith(prefix: Buffer): boolean {
    const { length } = prefix
    if (this.#firstKeyBytes < length || this.#sharedMin < length) return false
    const { bytes } = this
    for (let i = 0; i < length; i++) if (bytes[this.#firstKeyAt + i] !== prefix[i]) return false
    return true
  }
}

/**
 * Returns the paths of the records of an encoded node.
 *
 * @throws {InvalidNodeError} {RepoLimitError} as `decodeNode`.
 */
export function nodePaths(bytes: Buffer, start: number, end: number): readonly string[] {
  return decodeNode(bytes.subarray(start, end)).keys
}

/** Requires three bytes. */
function expect(bytes: Buffer, at: number, three: number): number {
  if (
    bytes[at] !== three >>> 16 ||
    bytes[at + 1] !== ((three >>> 8) & 255) ||
    bytes[at + 2] !== (three & 255)
  )
    invalid('a field is missing')
  return at + 3
}

/** Requires a field's name, which is one character. */
function field(bytes: Buffer, at: number, name: number): number {
  if (bytes[at] !== 0x61 || bytes[at + 1] !== name) invalid('a field is missing')
  return at + 2
}

/** Reads the number in an item's head. */
function number(bytes: Buffer, at: number, major: number): number {
  const value = (bytes[at] ?? 0) - major
  if (value >= 0 && value < 24) return value
  if (value === 24) return bytes[at + 1] ?? 0
  if (value === 25) return ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
  return invalid('a number is out of bounds')
}

/** How many bytes a head with this number has; numbers are in their shortest form. */
function headBytes(value: number): number {
  return value < 24 ? 1 : value < 0x100 ? 2 : 3
}

/** Returns where the CID of a link begins. */
function link(bytes: Buffer, at: number): number {
  if (bytes[at] !== 0xd8 || bytes[at + 1] !== 0x2a || bytes[at + 4] !== 0) invalid('a link is missing')
  return at + linkHeadBytes
}

function invalid(reason: string): never {
  throw new InvalidNodeError(`not a valid tree node: ${reason}`)
}
