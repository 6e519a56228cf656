import * as dagCbor from '@ipld/dag-cbor'
import { must } from '@rookery/std'
import { type Cid, cidForCbor, cidForRawDigest } from '@rookery/syntax'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'

import { type Block, BlockMap, memoryStore } from './block.ts'
import { InvalidNodeError, RepoLimitError } from './errors.ts'
import { nodeBytesMax, nodeEntriesMax, pathBytesMax } from './limits.ts'
import { decodeNode, emptyNodeBytes, encodeNode } from './node.ts'
import { keyLayer } from './path.ts'
import { openTree } from './tree.ts'
import { walkTree } from './walk-tree.ts'

type Entry = { k: Uint8Array; p: unknown; t: CID | null; v: CID }

const record = cidForCbor(Buffer.from('record'))
const link = CID.decode(record)

/** Sorted keys that share prefixes, with a subtree in every other gap. */
const nodeKeys = fc
  .uniqueArray(fc.stringMatching(/^[ab]{0,6}\/[a-zA-Z0-9:._~-]{1,12}$/), { maxLength: 40 })
  .map((keys) => keys.toSorted())

// SPEC MST-2, MST-3
describe('the node codec', () => {
  test('writes what @ipld/dag-cbor writes, and reads it back', () => {
    fc.assert(
      fc.property(nodeKeys, fc.nat(), (keys, seed) => {
        const children = Array.from({ length: keys.length + 1 }, (_, i) =>
          (seed + i) % 2 === 0 ? { cid: record, node: undefined, rev: undefined } : null,
        )
        const node = { keys, values: keys.map(() => record), children }
        const bytes = encodeNode(node)
        expect(bytes.equals(Buffer.from(dagCbor.encode(plain(keys, children.map(Boolean)))))).toBe(true)
        const decoded = decodeNode(bytes)
        expect(decoded.keys).toEqual(keys)
        expect(decoded.children.map(Boolean)).toEqual(children.map(Boolean))
        expect(encodeNode(decoded).equals(bytes)).toBe(true)
      }),
    )
  })

  test.each<[string, unknown]>([
    ['unsorted keys', { e: [entry('b/b'), entry('a/a')], l: null }],
    ['a repeated key', { e: [entry('a/a'), entry('', { p: 3 })], l: null }],
    ['a key without prefix compression', { e: [entry('a/a'), entry('a/b')], l: null }],
    ['a key with too little prefix compression', { e: [entry('a/aa'), entry('ab', { p: 2 })], l: null }],
    ['a prefix in the first key', { e: [entry('a', { p: 1 })], l: null }],
    ['a prefix longer than the previous key', { e: [entry('a/a'), entry('b', { p: 4 })], l: null }],
    ['an empty key', { e: [entry('')], l: null }],
    ['a key that is not ASCII', { e: [entry('a/é')], l: null }],
    ['a key with a control character', { e: [entry('a/\n')], l: null }],
    ['a key longer than pathBytesMax', { e: [entry(`a/${'b'.repeat(pathBytesMax - 1)}`)], l: null }],
    ['a subtree of codec raw', { e: [], l: CID.decode(cidForRawDigest(record.subarray(4))) }],
    ['a record link that is null', { e: [{ ...entry('a/a'), v: null }], l: null }],
    ['a key that is a text', { e: [{ ...entry('a/a'), k: 'a/a' }], l: null }],
    ['a negative prefix', { e: [entry('a/a', { p: -1 })], l: null }],
    ['a missing field', { e: [] }],
    ['an unknown field', { e: [], l: null, x: 1 }],
    ['an unknown field of an entry', { e: [{ ...entry('a/a'), x: 1 }], l: null }],
    ['a list', []],
  ])('refuses %s', (_, value) => {
    expect(() => decodeNode(dagCbor.encode(value))).toThrow(InvalidNodeError)
  })

  test('refuses what is not canonical or has bytes left over', () => {
    // { "e": [], "l": null } with the count of the list in two bytes, with the fields swapped, and with a tail.
    for (const hex of [
      'a261659800616cf6',
      'a2616cf6616580',
      'a2616580616cf600',
      'bf616580616cf6ff',
      'a2616580',
      '',
    ]) {
      expect(() => decodeNode(Buffer.from(hex, 'hex'))).toThrow(InvalidNodeError)
    }
    expect(decodeNode(Buffer.from('a2616580616cf6', 'hex')).keys).toEqual([])
  })

  test('takes nodeEntriesMax entries and no more', () => {
    const keysOf = (count: number) =>
      Array.from({ length: count }, (_, i) => `a/${String(i).padStart(5, '0')}`)
    const nodeOf = (count: number) => dagCbor.encode(plain(keysOf(count), [false]))
    expect(decodeNode(nodeOf(nodeEntriesMax)).keys).toHaveLength(nodeEntriesMax)
    expect(() => decodeNode(nodeOf(nodeEntriesMax + 1))).toThrow(RepoLimitError)
  })

  test('takes nodes of up to nodeBytesMax, in both directions', () => {
    const keys = Array.from({ length: 1_000 }, (_, i) => `${String(i).padStart(5, '0')}/${'k'.repeat(1_018)}`)
    const node = { keys, values: keys.map(() => record), children: [null, ...keys.map(() => null)] }
    expect(() => encodeNode(node)).toThrow(RepoLimitError)
    expect(() => decodeNode(Buffer.alloc(nodeBytesMax + 1))).toThrow(RepoLimitError)
    expect(() => decodeNode(Buffer.alloc(nodeBytesMax))).toThrow(InvalidNodeError)
  })

  test('answers mutated nodes with a node that encodes to the same bytes or a typed error', () => {
    const keys = ['a/a', 'a/b', 'a/bc', 'b/a']
    const sound = Buffer.from(dagCbor.encode(plain(keys, [true, false, true, false, true])))
    const mutation = fc.record({
      at: fc.nat(sound.length - 1),
      byte: fc.nat(255),
      cut: fc.option(fc.nat(sound.length)),
    })
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        let bytes = Buffer.from(sound)
        for (const { at, byte, cut } of mutations) {
          if (at < bytes.length) bytes[at] = byte
          if (cut !== null) bytes = bytes.subarray(0, cut)
        }
        const result = attempt(() => encodeNode(decodeNode(bytes)))
        expect(result === undefined || result.equals(bytes)).toBe(true)
      }),
      { numRuns: 5_000 },
    )
  })
})

// SPEC MST-4, MST-5, MST-9
describe('a foreign tree', () => {
  const byLayer = (layer: number, count: number) => {
    const keys: string[] = []
    for (let i = 100; keys.length < count; i++) if (keyLayer(`a/${i}`) === layer) keys.push(`a/${i}`)
    return keys
  }
  const [low0, high0] = [must(byLayer(0, 200)[0]), must(byLayer(0, 200)[199])]
  const low2 = must(byLayer(2, 1)[0])
  const [low1, high1] = [must(byLayer(1, 12)[0]), must(byLayer(1, 12)[11])]

  test.each<[string, string, () => Block]>([
    ['a key on the wrong layer', 'wrong layer', () => node([low0, low1].sort())],
    ['a root without entries', 'root has no entries', () => node([], [node([low0])])],
    ['an empty node below the root', 'is empty', () => node([low1], [node([]), null])],
    ['a subtree on layer 0', 'layer 0 has subtrees', () => node([low0], [node([high0]), null])],
    ['a subtree whose keys are too high', 'above its node', () => node([low1], [node([high0]), null])],
    ['a subtree whose keys are too low', 'below its node', () => node([high1], [null, node([low0])])],
    ['a skipped layer', 'wrong layer', () => node([low2], [null, node([high0])])],
    ['a path of three parts', 'no record path', () => node(['a/b/c'])],
    ['a key without a slash', 'no record path', () => node(['abc'])],
  ])('is refused for %s', async (_, reason, make) => {
    const walked = walk(make().cid)
    await expect(walked).rejects.toThrow(InvalidNodeError)
    await expect(walked).rejects.toThrow(reason)
  })

  test('that leads to itself ends in an error', async () => {
    // A cycle cannot be made with real hashes; a store that lies shows that depth bounds the walk.
    const loop = node(byLayer(3, 1), [must(node([low0])), null])
    const blocks = new BlockMap([{ cid: cidForCbor(emptyNodeBytes), bytes: loop.bytes }])
    const store = { getMany: () => Promise.resolve(blocks), peek: () => loop.bytes }
    const steps = async () => {
      let count = 0
      for await (const _ of walkTree(openTree(loop.cid), store)) count++
      return count
    }
    await expect(steps()).rejects.toThrow(InvalidNodeError)
  })

  test('with pointer-only nodes between is sound', async () => {
    const leaf = node([high0])
    const between = node([], [leaf])
    const top = node([low2], [null, between])
    expect(await walk(top.cid)).toBe(5)
  })

  async function walk(cid: Cid): Promise<number> {
    let count = 0
    const store = memoryStore(new BlockMap(known))
    for await (const _ of walkTree(openTree(cid, { foreign: true }), store)) count++
    return count
  }
})

/** Every node that `node` made. */
const known: Block[] = []

function node(keys: readonly string[], children: readonly (Block | null)[] = []): Block {
  const subtrees = Array.from({ length: keys.length + 1 }, (_, i) => {
    const child = children[i]
    return child ? { cid: child.cid, node: undefined, rev: undefined } : null
  })
  const bytes = encodeNode({ keys, values: keys.map(() => record), children: subtrees })
  const block = { cid: cidForCbor(bytes), bytes }
  known.push(block)
  return block
}

function entry(suffix: string, { p = 0 }: { p?: number } = {}): Entry {
  return { k: Buffer.from(suffix), p, t: null, v: link }
}

/** Returns the node as plain data, by the definition of SPEC MST-2 and MST-3. */
function plain(keys: readonly string[], hasChild: readonly boolean[]): { e: Entry[]; l: CID | null } {
  const entries = keys.map((key, i) => {
    const previous = keys[i - 1] ?? ''
    let p = 0
    while (p < previous.length && previous[p] === key[p]) p++
    return { k: Buffer.from(key.slice(p)), p, t: hasChild[i + 1] ? link : null, v: link }
  })
  return { e: entries, l: hasChild[0] ? link : null }
}

/** Returns the result, or undefined for one of the engine's own errors. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof InvalidNodeError || error instanceof RepoLimitError) return undefined
    throw error
  }
}
