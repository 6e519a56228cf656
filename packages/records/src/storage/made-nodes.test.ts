import { type Tree, type WriteOp, applyOps, emptyTree, findRecord, openTree } from '@rookery/repo'
import { type Tid, TidClock, cidForCbor, cidKey } from '@rookery/syntax'
import { must } from '@rookery/std'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { MadeNodes } from './made-nodes.ts'
import { encodePack, readPack } from './pack.ts'

const clock = new TidClock(() => Date.now() * 1_000, 7)

type History = { tree: Tree; rev: Tid; packs: { rev: Tid; bytes: Buffer }[] }

/** Carries out one commit; a path that is there is deleted if its value is even, else given another record. */
function commit(
  history: History,
  made: MadeNodes,
  changes: readonly { path: string; value: number }[],
): History {
  const writes = changes.flatMap(({ path, value }): WriteOp[] => {
    const cid = cidForCbor(Buffer.from(String(value)))
    const before = findRecord(history.tree, path)
    if (before === undefined) return [{ action: 'create', path, cid }]
    return value % 2 === 0 ? [{ action: 'delete', path }] : [{ action: 'update', path, cid }]
  })
  const rev = clock.next(history.rev)
  const { tree, newNodes, removedNodes } = applyOps(history.tree, writes, rev)
  const bytes = newNodes.length === 0 ? Buffer.alloc(0) : encodePack(newNodes, rev)
  made.add({ rev, newNodes, removedNodes, packBytes: bytes.length })
  return { tree, rev, packs: bytes.length === 0 ? history.packs : [...history.packs, { rev, bytes }] }
}

function nodesOf(pack: Buffer): Map<string, { rev: Tid; bytes: string }> {
  const nodes = new Map<string, { rev: Tid; bytes: string }>()
  readPack(pack, ({ cid, rev, bytes }) =>
    nodes.set(cidKey(cid), { rev, bytes: Buffer.from(bytes).toString('hex') }),
  )
  return nodes
}

const changes = fc.uniqueArray(
  fc.record({
    path: fc.nat({ max: 120 }).map((key) => `com.example.thing/k${key}`),
    value: fc.nat({ max: 9 }),
  }),
  { minLength: 1, maxLength: 8, selector: ({ path }) => path },
)

describe('MadeNodes', () => {
  test('joins packs to the nodes that the tree still has, each with its latest rev', () => {
    fc.assert(
      fc.property(
        fc.array(changes, { maxLength: 10 }),
        fc.array(changes, { minLength: 2, maxLength: 25 }),
        (before, after) => {
          const start = clock.next()
          let history: History = { tree: emptyTree(), rev: start, packs: [] }
          for (const each of before) history = commit(history, new MadeNodes(start), each)
          const older = history.packs.length
          const since = history.rev
          const made = new MadeNodes(since)
          for (const each of after) history = commit(history, made, each)
          const packs = history.packs.slice(older)
          const joined = made.join(history.tree)
          fc.pre(packs.length >= 2)
          const alive = new Map<string, { rev: Tid; bytes: string }>()
          for (const { bytes } of packs) for (const [key, node] of nodesOf(bytes)) alive.set(key, node)
          const reachable = new Set<string>()
          const { newNodes: all } = applyOps(rebuilt(history.tree), [])
          for (const { cid } of all) reachable.add(cidKey(cid))
          for (const key of alive.keys()) if (!reachable.has(key)) alive.delete(key)
          expect(nodesOf(must(joined).bytes)).toEqual(alive)
          expect(joined).toMatchObject({
            since,
            rev: must(packs.at(-1)).rev,
            packs: packs.length,
            packBytes: packs.reduce((sum, { bytes }) => sum + bytes.length, 0),
          })
        },
      ),
    )
  })

  test('goes on from what was joined, and forgets it when begun anew', () => {
    const start = clock.next()
    const made = new MadeNodes(start)
    let history: History = { tree: emptyTree(), rev: start, packs: [] }
    const add = (key: number) => {
      history = commit(history, made, [{ path: `com.example.thing/n${key}`, value: 1 }])
    }
    for (let key = 0; key < 20; key++) add(key)
    const first = must(made.join(history.tree))
    add(20)
    made.joined(first)
    expect(made.packs).toBe(2)
    const second = must(made.join(history.tree))
    expect(second).toMatchObject({
      since: start,
      packs: 2,
      packBytes: first.bytes.length + must(history.packs.at(-1)).bytes.length,
    })
    made.restart(history.rev)
    made.joined(second)
    expect([made.packs, made.join(history.tree)]).toEqual([0, undefined])
  })

  test('says nothing of a tree that has not loaded what was made', () => {
    const start = clock.next()
    const made = new MadeNodes(start)
    let history: History = { tree: emptyTree(), rev: start, packs: [] }
    for (let key = 0; key < 20; key++) {
      history = commit(history, made, [{ path: `com.example.thing/n${key}`, value: 1 }])
    }
    expect(made.join(openTree(history.tree.root))).toBeUndefined()
  })
})

/** The same tree with none of its nodes stored, so that all of them count as new. */
function rebuilt(tree: Tree): Tree {
  const copy = (subtree: Tree['top']): Tree['top'] => ({
    cid: undefined,
    rev: undefined,
    node: subtree.node && {
      ...subtree.node,
      children: subtree.node.children.map((child) => child && copy(child)),
    },
  })
  return { ...tree, top: copy(tree.top) }
}
