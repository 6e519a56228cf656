import { type Cid, cidForCbor } from '@rookery/syntax'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { InvalidNodeError } from './errors.ts'
import { type DecodedNode, encodeNode } from './node.ts'
import { NodeSlots, nodePaths } from './node-slots.ts'

const nodes = fc
  .record({
    keys: fc.uniqueArray(fc.stringMatching(/^[ab]{1,3}\/[a-zA-Z0-9:._~-]{1,40}$/), { maxLength: 40 }),
    seed: fc.nat(),
  })
  .map(({ keys, seed }): DecodedNode => {
    const cid = (n: number) => cidForCbor(Buffer.from(`${seed} ${n}`))
    const hasChild = (n: number) => (seed >>> (n % 31)) % 2 === 0
    return {
      keys: keys.toSorted(),
      values: keys.map((_, n) => cid(-1 - n)),
      children: Array.from({ length: keys.length + 1 }, (_, n) =>
        hasChild(n) ? { cid: cid(n), node: undefined, rev: undefined } : null,
      ),
    }
  })

/** What lies in a node's slots, from left to right. */
function contentOf({ keys, values, children }: DecodedNode): { isRecord: boolean; cid: Cid }[] {
  const content = []
  for (let n = 0; n <= keys.length; n++) {
    const cid = children[n]?.cid
    if (cid) content.push({ isRecord: false, cid: Buffer.from(cid) })
    const value = values[n]
    if (value) content.push({ isRecord: true, cid: Buffer.from(value) })
  }
  return content
}

test('the slots of a node are found from left to right, wherever it lies', () => {
  const slots = new NodeSlots()
  fc.assert(
    fc.property(nodes, fc.nat({ max: 100 }), (node, offset) => {
      const bytes = encodeNode(node)
      const start = offset
      const end = offset + bytes.length
      slots.read(Buffer.concat([Buffer.alloc(offset, 0xa2), bytes, Buffer.alloc(3)]), start, end)
      const found = Array.from({ length: slots.count }, (_, n) => {
        const at = slots.cidAt(n)
        return { isRecord: slots.isRecord(n), cid: slots.bytes.subarray(at, at + 36) }
      })
      expect(found).toEqual(contentOf(node))
      expect(nodePaths(slots.bytes, slots.start, slots.end)).toEqual(node.keys)
      for (const prefix of ['a/', 'b/', 'ab/', 'aaa/', 'a']) {
        const areAll = node.keys.length > 0 && node.keys.every((key) => key.startsWith(prefix))
        expect(slots.allBeginWith(Buffer.from(prefix))).toBe(areAll)
      }
    }),
  )
})

test('bytes that have not the form of a node are refused', () => {
  const slots = new NodeSlots()
  fc.assert(
    fc.property(nodes, fc.nat(), (node, cut) => {
      const bytes = encodeNode(node)
      expect(() => slots.read(bytes, 0, bytes.length - 1 - (cut % bytes.length))).toThrow(InvalidNodeError)
      expect(() => slots.read(Buffer.concat([bytes, bytes]), 0, bytes.length + 1)).toThrow(InvalidNodeError)
      const short = bytes.subarray(0, cut % bytes.length)
      expect(() => slots.read(short, 0, short.length)).toThrow(InvalidNodeError)
    }),
  )
})
