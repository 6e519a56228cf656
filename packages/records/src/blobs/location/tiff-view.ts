/** One entry of a directory: its tag, and where it lies. */
export type TiffEntry = { tag: number; type: number; count: number; at: number }

/** A directory (IFD): where it begins and ends, and its entries. */
export type TiffDirectory = { at: number; end: number; entries: TiffEntry[] }

/** Bytes of one value of each type, by the type's number; 13 is a pointer to a directory. */
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4]
const entryBytes = 12
/** More than any camera writes; what claims more is no directory. */
const entriesMax = 1000

/** Bytes that begin with the header of a TIFF and may end before the TIFF does. */
export class TiffView {
  readonly bytes: Buffer
  readonly #isLittle: boolean

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.#isLittle = bytes[0] === 0x49
  }

  /** Returns the number at an offset; NaN if it is out of sight. */
  u32(at: number): number {
    if (!(at + 4 <= this.bytes.length)) return Number.NaN
    return this.#isLittle ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at)
  }

  /** Returns the directory at an offset, or undefined if there is none or it is out of sight. */
  directory(at: number): TiffDirectory | undefined {
    const count = this.#u16(at)
    const end = at + 2 + count * entryBytes + 4
    if (!(at >= 8 && count > 0 && count <= entriesMax && end <= this.bytes.length)) return undefined
    const entries = Array.from({ length: count }, (_, i) => this.#entry(at + 2 + i * entryBytes))
    return entries.every(({ type }) => (typeBytes[type] ?? 0) > 0) ? { at, end, entries } : undefined
  }

  /** Returns the bytes of an entry's value, or undefined if they are out of sight. */
  valueOf({ type, count, at }: TiffEntry): Buffer | undefined {
    const length = (typeBytes[type] ?? 0) * count
    const start = length <= 4 ? at + 8 : this.u32(at + 8)
    return start + length <= this.bytes.length ? this.bytes.subarray(start, start + length) : undefined
  }

  /** Takes an entry out of a directory. What lies behind the directory stays where it is. */
  removeEntry({ at, end, entries }: TiffDirectory, index: number): void {
    const entryAt = at + 2 + index * entryBytes
    this.bytes.copyWithin(entryAt, entryAt + entryBytes, end)
    this.bytes.fill(0, end - entryBytes, end)
    if (this.#isLittle) this.bytes.writeUInt16LE(entries.length - 1, at)
    else this.bytes.writeUInt16BE(entries.length - 1, at)
  }

  #u16(at: number): number {
    if (!(at + 2 <= this.bytes.length)) return Number.NaN
    return this.#isLittle ? this.bytes.readUInt16LE(at) : this.bytes.readUInt16BE(at)
  }

  #entry(at: number): TiffEntry {
    return { tag: this.#u16(at), type: this.#u16(at + 2), count: this.u32(at + 4), at }
  }
}
