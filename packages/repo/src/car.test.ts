import { setImmediate as turn } from 'node:timers/promises'

import { blocksToCarFile, BlockMap as ReferenceBlockMap, readCar as readReferenceCar } from '@atproto/repo'
import * as dagCbor from '@ipld/dag-cbor'
import { must } from '@rookery/std'
import { cidForCbor, cidForRawDigest, cidToString } from '@rookery/syntax'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'

import { applyOps } from './apply-ops.ts'
import type { Block } from './block.ts'
import { carHeader, carSectionBytes, carSectionHeader, encodeCar } from './encode-car.ts'
import { InvalidCarError, RepoLimitError } from './errors.ts'
import { carBlockBytesMax } from './limits.ts'
import { type CarLimits, collectCar, readCar } from './read-car.ts'
import { buildSlice } from './slice.ts'
import { emptyTree } from './tree.ts'

const blocks = [0, 1, 90, 91, 92, 127, 128, 300, 20_000].map((size) => blockOf(Buffer.alloc(size, size)))
const root = must(blocks[0]).cid

describe('encodeCar', () => {
  test('writes what the reference writes and reads', async () => {
    const car = encodeCar(root, blocks)
    const map = new ReferenceBlockMap(blocks.map(({ cid, bytes }) => [CID.decode(cid), bytes] as const))
    expect(car.equals(await blocksToCarFile(CID.decode(root), map))).toBe(true)
    const read = await readReferenceCar(car)
    expect(read.roots.map(String)).toEqual([cidToString(root)])
    expect(read.blocks.size).toBe(blocks.length)
  })

  // SPEC CAR-1, CAR-6
  test('is the header and the sections, each block once', () => {
    const parts = blocks.flatMap(({ cid, bytes }) => [carSectionHeader(cid, bytes.length), bytes])
    const car = Buffer.concat([carHeader(root), ...parts])
    expect(encodeCar(root, [...blocks, ...blocks]).equals(car)).toBe(true)
    const sizes = blocks.map(({ bytes }) => carSectionBytes(bytes.length))
    expect(sizes.reduce((sum, size) => sum + size, carHeader(root).length)).toBe(car.length)
  })
})

// SPEC DIFF-1, CAR-6
test('a slice has every block once, however often its record was written', () => {
  const same = must(blocks[4])
  const other = must(blocks[5])
  const writes = ['a', 'b', 'c'].map((rkey, i) => ({
    action: 'create' as const,
    path: `com.example.thing/${rkey}`,
    cid: (i < 2 ? same : other).cid,
  }))
  const applied = applyOps(emptyTree(), writes)
  const commit = must(blocks[6])
  const slice = buildSlice({ commit, applied, records: [same, same, other] })
  const once = [commit, ...applied.newNodes, ...applied.proofNodes, same, other]
  expect(slice.equals(encodeCar(commit.cid, once))).toBe(true)
})

describe('readCar', () => {
  test('gives the same blocks however the bytes are cut', async () => {
    const car = encodeCar(root, blocks)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), async (sizes) => {
        const read = await collectCar(cut(car, sizes))
        expect(read.roots).toEqual([root])
        expect([...read.blocks]).toEqual(blocks)
      }),
      { numRuns: 30 },
    )
    expect((await collectCar(cut(car, [1]))).blocks.size).toBe(blocks.length)
  })

  test('yields blocks while the rest is still to come', async () => {
    const car = encodeCar(root, blocks)
    let sent = 0
    async function* slowly() {
      for (const chunk of cut(car, [200])) {
        sent++
        yield chunk
        await turn()
      }
    }
    const { blocks: arriving } = await readCar(slowly())
    expect((await arriving.next()).value).toEqual(blocks[0])
    expect(sent).toBe(1)
    await arriving.return()
  })

  test('ends the source when it is left early, also for a bad header', async () => {
    let ended = 0
    async function* source(bytes: Buffer) {
      try {
        yield bytes
        yield bytes
      } finally {
        ended++
        await turn()
      }
    }
    const car = await readCar(source(encodeCar(root, blocks)))
    for await (const block of car.blocks) {
      expect(block.cid).toEqual(root)
      break
    }
    expect(ended).toBe(1)
    await expect(readCar(source(section(dagCbor.encode({ roots: [], version: 1 }))))).rejects.toThrow(
      InvalidCarError,
    )
    expect(ended).toBe(2)
  })

  // SPEC CAR-1, CAR-3
  test('takes any order, repeated, unrelated and unreadable blocks, and further roots', async () => {
    const raw = {
      cid: cidForRawDigest(cidForCbor(Buffer.from('blob')).subarray(4)),
      bytes: Buffer.from('blob'),
    }
    const header = dagCbor.encode({ roots: [CID.decode(root), CID.decode(raw.cid)], version: 1 })
    // An identity CID, and one of version 0: nothing in a repo can refer to them.
    const odd = [
      Buffer.from([1, 0x55, 0, 1, 9]),
      Buffer.concat([Buffer.from([0x12, 0x20]), Buffer.alloc(40)]),
    ]
    const all = [...blocks.toReversed(), raw, ...blocks].map(({ cid, bytes }) => Buffer.concat([cid, bytes]))
    const read = await collectCar([Buffer.concat([header, ...odd, ...all].map(section))])
    expect(read.roots).toHaveLength(2)
    expect(read.blocks.size).toBe(blocks.length + 1)
  })

  test.each<[string, () => Buffer]>([
    ['nothing', () => Buffer.alloc(0)],
    ['a header that is cut short', () => carHeader(root).subarray(0, 30)],
    ['a block that is cut short', () => encodeCar(root, blocks).subarray(0, -1)],
    ['a length that is cut short', () => Buffer.concat([carHeader(root), Buffer.from([0x80])])],
    ['an empty section', () => Buffer.concat([carHeader(root), Buffer.from([0])])],
    [
      'a length that is not in its shortest form',
      () => Buffer.concat([carHeader(root), Buffer.from([0x85, 0])]),
    ],
    ['a CID that is cut short', () => Buffer.concat([carHeader(root), section(root.subarray(0, 20))])],
    ['a block that does not match its CID', () => encodeCar(root, [{ cid: root, bytes: Buffer.from('x') }])],
    ['version 2', () => section(dagCbor.encode({ roots: [CID.decode(root)], version: 2 }))],
    ['no roots', () => section(dagCbor.encode({ roots: [], version: 1 }))],
    ['roots that are no links', () => section(dagCbor.encode({ roots: ['x'], version: 1 }))],
    ['a header that is no map', () => section(dagCbor.encode([1]))],
    ['a header with a tail', () => section(Buffer.concat([carHeader(root).subarray(1), Buffer.from([0])]))],
    ['a count of roots without the roots', () => section(Buffer.from('a265726f6f74739affffffff', 'hex'))],
  ])('refuses %s', async (_, make) => {
    await expect(collectCar([make()])).rejects.toThrow(InvalidCarError)
  })

  test.each<[keyof CarLimits, number]>([
    ['carHeaderBytesMax', 58],
    ['carBlockBytesMax', 20_000],
    ['carBlocksMax', blocks.length],
    ['carBytesMax', encodeCar(root, blocks).length],
  ])('takes %s and no more', async (limit, max) => {
    const car = encodeCar(root, blocks)
    expect((await collectCar([car], { [limit]: max })).blocks.size).toBe(blocks.length)
    await expect(collectCar([car], { [limit]: max - 1 })).rejects.toMatchObject({ limit, max: max - 1 })
  })

  test('refuses a length past the limit before it takes memory for it', async () => {
    const huge = Buffer.concat([carHeader(root), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f])])
    await expect(collectCar([huge])).rejects.toThrow(RepoLimitError)
    const endless = Buffer.concat([carHeader(root), Buffer.alloc(1_000, 0x80)])
    await expect(collectCar([endless])).rejects.toThrow(RepoLimitError)
    expect(carBlockBytesMax).toBe(1_048_576)
  })

  test('answers mutated CARs with blocks or a typed error', async () => {
    const car = encodeCar(root, blocks.slice(0, 7))
    const changes = fc.array(fc.tuple(fc.nat(car.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(changes, fc.nat(car.length), async (mutations, length) => {
        const mutated = Buffer.from(car)
        for (const [at, byte] of mutations) mutated[at] = byte
        const result = await collectCar(cut(mutated.subarray(0, length), [97])).catch(
          (error: unknown) => error,
        )
        const typed = result instanceof InvalidCarError || result instanceof RepoLimitError
        expect(typed || isRead(result)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  test('answers random bytes with a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const result = await collectCar([bytes]).catch((error: unknown) => error)
        expect(result instanceof InvalidCarError || result instanceof RepoLimitError).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })
})

function blockOf(bytes: Buffer): Block {
  return { cid: cidForCbor(bytes), bytes }
}

/** Returns the content with its length before it. */
function section(content: Uint8Array): Buffer {
  const length: number[] = []
  let rest = content.length
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80)
  return Buffer.concat([Buffer.from([...length, rest]), content])
}

/** Cuts the bytes into chunks of the given sizes, over and over. */
function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = must(sizes[i % sizes.length])
    yield bytes.subarray(at, at + size)
    at += size
  }
}

function isRead(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'roots' in result
}
