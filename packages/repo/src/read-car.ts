import { hash } from 'node:crypto'

import { must } from '@rookery/std'
import { type Cid, cidBytes } from '@rookery/syntax'

import { type Block, BlockMap } from './block.ts'
import { CborReader } from './cbor.ts'
import { InvalidCarError, RepoLimitError } from './errors.ts'
import { carBlockBytesMax, carBlocksMax, carBytesMax, carHeaderBytesMax } from './limits.ts'

/** Bounds of one CAR; each defaults to the constant of the same name. */
export type CarLimits = {
  /** Largest header in bytes. */
  carHeaderBytesMax: number
  /** Largest block in bytes. */
  carBlockBytesMax: number
  /** Most blocks, repeated and unrelated ones included. */
  carBlocksMax: number
  /** Most bytes in all. */
  carBytesMax: number
}

/** A CAR being read: its roots are known, its blocks come as they arrive. */
export type OpenCar = {
  /** At least one; the first is the commit (SPEC CAR-1). */
  readonly roots: readonly [Cid, ...Cid[]]
  /** The blocks in the order of the file. Ending the iteration early ends the source. */
  readonly blocks: AsyncGenerator<Block, void>
}

/**
 * Reads a CAR of version 1 as it arrives. Every block's hash has been checked. Order, repetition and unrelated
 * blocks do not matter (SPEC CAR-3): blocks whose CID is none that atproto allows are left out. Holds one block
 * in memory; the yielded bytes are views of the chunks where they can be. `blocks` must be iterated, or ended
 * with `return()`. Between two chunks it works without a pause: sources give chunks of bounded size.
 *
 * @throws {InvalidCarError} (also from `blocks`) if it is malformed, cut short, or a block is not what its CID says.
 * @throws {RepoLimitError} (also from `blocks`) past one of the limits.
 * @example
 * const car = await readCar(request.raw, { carBytesMax: importBytesMax })
 * for await (const { cid, bytes } of car.blocks) await stage(cid, bytes)
 */
export async function readCar(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limits: Partial<CarLimits> = {},
): Promise<OpenCar> {
  const splitter = new SectionSplitter({
    carHeaderBytesMax,
    carBlockBytesMax,
    carBlocksMax,
    carBytesMax,
    ...limits,
  })
  const sections = readSections(chunks, splitter)
  const header = await sections.next()
  if (header.done) return invalidCar('it has no header')
  try {
    return { roots: readHeader(header.value), blocks: readBlocks(sections) }
  } catch (error) {
    await sections.return()
    throw error
  }
}

/**
 * Reads a whole CAR into memory, which `carBytesMax` bounds.
 *
 * @throws {InvalidCarError} if it is malformed, cut short, or a block is not what its CID says.
 * @throws {RepoLimitError} past one of the limits.
 * @example
 * const { roots, blocks } = await collectCar([slice])
 * const commit = decodeCommit(must(blocks.get(roots[0])))
 */
export async function collectCar(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limits: Partial<CarLimits> = {},
): Promise<{ roots: readonly [Cid, ...Cid[]]; blocks: BlockMap }> {
  const car = await readCar(chunks, limits)
  const blocks = new BlockMap()
  for await (const block of car.blocks) blocks.add(block)
  return { roots: car.roots, blocks }
}

async function* readSections(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  splitter: SectionSplitter,
): AsyncGenerator<Buffer, void> {
  for await (const chunk of chunks) {
    for (const section of splitter.push(chunk)) yield section
  }
  splitter.end()
}

async function* readBlocks(sections: AsyncGenerator<Buffer, void>): AsyncGenerator<Block, void> {
  for await (const section of sections) {
    const block = readBlock(section)
    if (block) yield block
  }
}

/** Cuts the byte stream into sections: a varint of the length, then that many bytes. */
class SectionSplitter {
  readonly #limits: CarLimits
  #bytes = 0
  #sections = 0
  #length = 0
  #lengthUnit = 1
  #partial: Buffer | undefined
  #filled = 0

  constructor(limits: CarLimits) {
    this.#limits = limits
  }

  /** Yields the sections that the chunk completes. */
  *push(input: Uint8Array): Generator<Buffer> {
    const { carBytesMax } = this.#limits
    this.#bytes += input.length
    if (this.#bytes > carBytesMax) throw new RepoLimitError('carBytesMax', carBytesMax)
    const chunk = Buffer.from(input.buffer, input.byteOffset, input.length)
    let at = 0
    while (at < chunk.length) {
      if (this.#partial) {
        at += this.#fill(this.#partial, chunk, at)
        if (this.#filled < this.#partial.length) return
        yield this.#take(this.#partial)
        continue
      }
      if (!this.#readLength(must(chunk[at++]))) continue
      const length = this.#length
      if (at + length <= chunk.length) {
        yield this.#take(chunk.subarray(at, at + length))
        at += length
      } else {
        // The rest is yet to come: one buffer of its size, however small the chunks are.
        this.#partial = Buffer.allocUnsafeSlow(length)
        this.#filled = 0
      }
    }
  }

  /** Requires that the last section is complete. */
  end(): void {
    if (this.#partial || this.#lengthUnit > 1 || this.#sections === 0) invalidCar('it is cut short')
  }

  #fill(partial: Buffer, chunk: Buffer, at: number): number {
    const copied = chunk.copy(partial, this.#filled, at)
    this.#filled += copied
    return copied
  }

  #take(section: Buffer): Buffer {
    this.#partial = undefined
    this.#length = 0
    this.#lengthUnit = 1
    this.#sections++
    return section
  }

  /** Takes one more byte of the length; tells whether it was the last. */
  #readLength(byte: number): boolean {
    const { carHeaderBytesMax, carBlockBytesMax, carBlocksMax } = this.#limits
    this.#length += (byte & 0x7f) * this.#lengthUnit
    // Checked with every byte, so that a number without an end stops early. A non-final zero byte adds nothing
    // to the length, so the unit is bounded too.
    const header = this.#sections === 0
    if (
      this.#length > (header ? carHeaderBytesMax : cidBytes + carBlockBytesMax) ||
      this.#lengthUnit > 2 ** 28
    ) {
      throw header
        ? new RepoLimitError('carHeaderBytesMax', carHeaderBytesMax)
        : new RepoLimitError('carBlockBytesMax', carBlockBytesMax)
    }
    if (byte >= 0x80) {
      this.#lengthUnit *= 0x80
      return false
    }
    if (byte === 0) invalidCar('a section is empty or its length is not in its shortest form')
    if (this.#sections > carBlocksMax) throw new RepoLimitError('carBlocksMax', carBlocksMax)
    return true
  }
}

/** Returns the section's block, or undefined if it is of a kind that no repo refers to. */
function readBlock(section: Buffer): Block | undefined {
  const codec = section[1]
  const ours =
    section[0] === 1 && (codec === 0x71 || codec === 0x55) && section[2] === 0x12 && section[3] === 0x20
  if (!ours) return undefined
  if (section.length < cidBytes) return invalidCar('a CID is cut short')
  const cid = section.subarray(0, cidBytes)
  const bytes = section.subarray(cidBytes)
  if (hash('sha256', bytes, 'buffer').compare(cid, 4) !== 0)
    return invalidCar('a block does not match its CID')
  return { cid, bytes }
}

function readHeader(section: Buffer): readonly [Cid, ...Cid[]] {
  const reader = new CborReader(section, invalidCar)
  reader.expect(0xa2, 'a map of two fields')
  reader.key('roots')
  const count = reader.head(0x80)
  // Fewer links than the count says end in an error before anything large is made.
  const roots: Cid[] = []
  for (let i = 0; i < count; i++) roots.push(reader.link())
  reader.key('version')
  if (reader.head(0) !== 1) return invalidCar('its version is not 1')
  reader.end()
  const [first, ...rest] = roots
  if (!first) return invalidCar('it has no root')
  return [first, ...rest]
}

function invalidCar(reason: string): never {
  throw new InvalidCarError(`not a valid CAR: ${reason}`)
}
