import { must } from '@rookery/std'
import { type Cid, cidForCbor, cidToString } from '@rookery/syntax'
import { describe, expect, test } from 'vitest'

import { type WriteOp, applyOps } from './apply-ops.ts'
import { BlockMap, type BlockStore, memoryStore } from './block.ts'
import { TreeBuilder } from './build-tree.ts'
import { diffTrees } from './diff-trees.ts'
import {
  DuplicatePathError,
  InvalidPathError,
  InversionError,
  MissingBlockError,
  RecordExistsError,
  RecordMissingError,
  RepoLimitError,
} from './errors.ts'
import { verifyInversion } from './invert-ops.ts'
import { nodeEntriesMax, pathBytesMax } from './limits.ts'
import { emptyTreeCid } from './node.ts'
import { keyLayer } from './path.ts'
import { emptyTree, findRecord, loadPaths, openTree, pathProof, trimTree, type Tree } from './tree.ts'
import { collectionRange, listRecords, walkTree } from './walk-tree.ts'

const cidA = cidForCbor(Buffer.from('a'))
const cidB = cidForCbor(Buffer.from('b'))
const paths = Array.from({ length: 500 }, (_, i) => pathOf(i)).sort()

describe('applyOps', () => {
  const { tree, nodes } = build(paths)
  const present = must(paths[100])
  const absent = 'com.example.record/zzz'

  test.each<[string, WriteOp[], new (...args: never[]) => Error]>([
    ['a create of an existing record', [{ action: 'create', path: present, cid: cidA }], RecordExistsError],
    ['an update of a missing record', [{ action: 'update', path: absent, cid: cidA }], RecordMissingError],
    ['a delete of a missing record', [{ action: 'delete', path: absent }], RecordMissingError],
    [
      'two operations on one path',
      [
        { action: 'create', path: absent, cid: cidA },
        { action: 'delete', path: absent },
      ],
      DuplicatePathError,
    ],
    [
      'a path without a record key',
      [{ action: 'create', path: 'com.example.record', cid: cidA }],
      InvalidPathError,
    ],
    ['a path of three parts', [{ action: 'create', path: 'a/b/c', cid: cidA }], InvalidPathError],
    ['a path with a space', [{ action: 'create', path: 'a/b c', cid: cidA }], InvalidPathError],
    ['a path that is not ASCII', [{ action: 'create', path: 'a/jalapeño', cid: cidA }], InvalidPathError],
    [
      'a path longer than pathBytesMax',
      [{ action: 'create', path: `a/${'b'.repeat(pathBytesMax - 1)}`, cid: cidA }],
      InvalidPathError,
    ],
  ])('refuses %s and leaves the tree as it was', async (_, ops, error) => {
    await loadPaths(
      tree,
      ops.map(({ path }) => path),
      memoryStore(nodes),
    )
    expect(() => applyOps(tree, ops)).toThrow(error)
    expect(findRecord(tree, present)).toEqual(cidA)
    expect(applyOps(tree, []).tree.root).toEqual(tree.root)
  })

  // SPEC ID-10, MST-10
  test('takes a path of pathBytesMax bytes', () => {
    const path = `a/${'b'.repeat(pathBytesMax - 2)}`
    expect(applyOps(emptyTree(), [{ action: 'create', path, cid: cidA }]).ops).toHaveLength(1)
  })

  test('tells the replaced records in the order of the operations', async () => {
    const [first, second] = [must(paths[7]), must(paths[3])]
    await loadPaths(tree, [first, second, absent], memoryStore(nodes))
    const applied = applyOps(tree, [
      { action: 'update', path: first, cid: cidB },
      { action: 'create', path: absent, cid: cidB },
      { action: 'delete', path: second },
    ])
    expect(applied.ops).toEqual([
      { action: 'update', path: first, cid: cidB, prev: cidA },
      { action: 'create', path: absent, cid: cidB, prev: null },
      { action: 'delete', path: second, cid: null, prev: cidA },
    ])
  })

  test('gives no new node when nothing changes, and the proof all the same', async () => {
    await loadPaths(tree, [present], memoryStore(nodes))
    const applied = applyOps(tree, [{ action: 'update', path: present, cid: cidA }])
    expect(applied.tree.root).toEqual(tree.root)
    expect(applied.newNodes).toEqual([])
    expect(applied.removedNodes).toEqual([])
    const slice = new BlockMap(applied.proofNodes)
    expect(verifyInversion(slice, applied.ops, applied.tree.root)).toEqual(tree.root)
  })

  test('needs the paths loaded', () => {
    const op: WriteOp = { action: 'create', path: absent, cid: cidA }
    expect(() => applyOps(openTree(tree.root), [op])).toThrow(MissingBlockError)
  })

  test('refuses a node of more than nodeEntriesMax keys', () => {
    // Keys of one layer only: what someone who mines record keys writes.
    const wide: string[] = []
    for (let i = 0; wide.length <= nodeEntriesMax; i++) if (keyLayer(pathOf(i)) === 0) wide.push(pathOf(i))
    const last = must(wide.pop())
    const create = (path: string): WriteOp => ({ action: 'create', path, cid: cidA })
    const full = applyOps(emptyTree(), wide.map(create)).tree
    expect(() => applyOps(full, [create(last)])).toThrow(RepoLimitError)
  })

  test('puts the new root first among the new nodes', async () => {
    await loadPaths(tree, [absent], memoryStore(nodes))
    const applied = applyOps(tree, [{ action: 'create', path: absent, cid: cidA }])
    expect(applied.newNodes[0]?.cid).toEqual(applied.tree.root)
  })

  // SPEC MST-6, MST-7
  test('leaves the empty node when the last record goes', () => {
    const one = applyOps(emptyTree(), [{ action: 'create', path: present, cid: cidA }])
    const none = applyOps(one.tree, [{ action: 'delete', path: present }])
    expect(none.tree.root).toEqual(emptyTreeCid)
    expect(none.removedNodes.map(({ cid }) => cid)).toEqual([one.tree.root])
    const again = applyOps(none.tree, [{ action: 'create', path: present, cid: cidA }])
    expect(again.removedNodes.map(({ cid }) => cid)).toEqual([emptyTreeCid])
  })
})

describe('loadPaths', () => {
  test('fetches a level together, however many paths there are', async () => {
    const { tree, nodes } = build(paths)
    const { store, fetches } = counting(nodes)
    await loadPaths(openTree(tree.root), paths, store)
    expect(fetches()).toBeLessThanOrEqual(8)
  })

  test('uses what came along before it asks again', async () => {
    const { tree, nodes } = build(paths)
    let fetches = 0
    const getMany = () => {
      fetches++
      return Promise.resolve(nodes)
    }
    await loadPaths(openTree(tree.root), paths, { getMany })
    expect(fetches).toBe(1)
  })

  test('fetches only nodes that the paths touch', async () => {
    const { tree, nodes } = build(paths)
    const { store, asked } = counting(nodes)
    await loadPaths(openTree(tree.root), [must(paths[250])], store)
    expect(asked()).toBeLessThan(20)
    expect(nodes.size).toBeGreaterThan(150)
  })

  test('reports a node that the store lacks', async () => {
    const { tree } = build(paths)
    await expect(loadPaths(openTree(tree.root), ['a/b'], memoryStore(new BlockMap()))).rejects.toThrow(
      MissingBlockError,
    )
  })
})

describe('trimTree', () => {
  const { nodes } = build(paths)
  const path = must(paths[100])

  test('keeps what loadPaths would load for the path, and leaves the given tree whole', async () => {
    const tree = open()
    await loadPaths(tree, paths, memoryStore(nodes))
    const trimmed = trimTree(tree, path)
    const loaded = open()
    await loadPaths(loaded, [path], memoryStore(nodes))
    expect(loadedNodes(trimmed)).toEqual(loadedNodes(loaded))
    expect(loadedNodes(tree)).toHaveLength(nodes.size)
    await loadPaths(trimmed, paths, memoryStore(nodes))
    expect(loadedNodes(trimmed)).toEqual(loadedNodes(tree))
  })

  // SPEC MST-8
  test('gives a tree that commits build on as on the whole one', async () => {
    const whole = open()
    await loadPaths(whole, paths, memoryStore(nodes))
    let trimmed = whole
    for (const [i, key] of paths.entries()) {
      trimmed = trimTree(trimmed, must(paths[(i * 7) % paths.length]))
      await loadPaths(trimmed, [key], memoryStore(nodes))
      const op = { action: 'update' as const, path: key, cid: cidB }
      const [a, b] = [applyOps(whole, [op]), applyOps(trimmed, [op])]
      expect(b.tree.root).toEqual(a.tree.root)
      expect(b.newNodes).toEqual(a.newNodes)
      expect(b.removedNodes).toEqual(a.removedNodes)
      expect(b.proofNodes).toEqual(a.proofNodes)
    }
  })

  test('knows how many nodes are loaded, whatever was loaded, written and trimmed', async () => {
    let tree = open()
    const stored = new BlockMap(nodes)
    for (const [i, key] of paths.entries()) {
      const op: WriteOp =
        i % 3 === 0
          ? { action: 'delete', path: key }
          : { action: i % 3 === 1 ? 'create' : 'update', path: i % 3 === 1 ? `${key}a` : key, cid: cidB }
      await loadPaths(tree, [op.path], memoryStore(stored))
      const applied = applyOps(tree, [op])
      for (const node of applied.newNodes) stored.add(node)
      tree = i % 20 === 19 ? trimTree(applied.tree, key) : applied.tree
      expect(tree.nodes).toBe(loadedNodes(tree).length)
    }
  })

  function open(): Tree {
    return openTree(build(paths).tree.root)
  }

  /** CIDs of the nodes in memory, root first. */
  function loadedNodes(tree: Tree): string[] {
    const visit = ({ cid, node }: Tree['top']): string[] =>
      node ? [cidToString(must(cid)), ...node.children.flatMap((child) => (child ? visit(child) : []))] : []
    return visit(tree.top)
  }
})

describe('walkTree', () => {
  test('yields nodes before their slots and records in order', async () => {
    const { tree, nodes } = build(paths)
    const seen: string[] = []
    const order: string[] = []
    for await (const item of walkTree(openTree(tree.root, { foreign: true }), memoryStore(nodes))) {
      if (item.kind === 'node') order.push(cidToString(item.cid))
      else seen.push(item.path)
    }
    expect(seen).toEqual(paths)
    expect(order[0]).toBe(cidToString(tree.root))
    expect(new Set(order).size).toBe(nodes.size)
  })

  test('fetches in batches, each node once', async () => {
    const { tree, nodes } = build(paths)
    const { store, fetches, asked } = counting(nodes)
    let records = 0
    for await (const item of walkTree(openTree(tree.root), store)) if (item.kind === 'record') records++
    expect(records).toBe(paths.length)
    expect(fetches()).toBeLessThan(nodes.size / 2)
    expect(asked()).toBe(nodes.size)
  })

  test('lists a range, and reads no node outside of it', async () => {
    const all = [...paths, 'com.example.other/a', 'com.example.other/b', 'com.example.recordz/a'].sort()
    const { tree, nodes } = build(all)
    const { store, asked } = counting(nodes)
    const found: string[] = []
    for await (const { path } of listRecords(tree, store, { range: collectionRange('com.example.other') })) {
      found.push(path)
    }
    expect(found).toEqual(['com.example.other/a', 'com.example.other/b'])
    expect(asked()).toBeLessThan(20)
    const middle: string[] = []
    const range = { from: must(paths[10]), to: must(paths[20]) }
    for await (const { path } of listRecords(tree, store, { range })) middle.push(path)
    expect(middle).toEqual(paths.slice(10, 20))
  })

  test('walks a tree without records', async () => {
    const items: string[] = []
    for await (const item of walkTree(emptyTree(), memoryStore(new BlockMap()))) items.push(item.kind)
    expect(items).toEqual(['node'])
  })

  test.each([
    ['treeNodesMax', 1],
    ['treeBytesMax', 1],
    ['treeRecordsMax', 499],
  ])('stops past %s', async (limit, max) => {
    const { tree, nodes } = build(paths)
    const walk = async (limits: Record<string, number>) => {
      let count = 0
      for await (const _ of walkTree(tree, memoryStore(nodes), { limits })) count++
      return count
    }
    await expect(walk({ [limit]: max })).rejects.toThrow(RepoLimitError)
    expect(await walk({ treeRecordsMax: 500, treeNodesMax: nodes.size })).toBe(500 + nodes.size)
  })
})

describe('TreeBuilder', () => {
  test('refuses records out of order or twice', () => {
    const builder = new TreeBuilder(() => {})
    builder.add('a/b', cidA)
    expect(() => builder.add('a/b', cidA)).toThrow(InvalidPathError)
    expect(() => builder.add('a/a', cidA)).toThrow(InvalidPathError)
  })

  test('gives the empty tree without records', () => {
    const nodes = new BlockMap()
    expect(new TreeBuilder((node) => nodes.add(node)).finish()).toEqual(emptyTreeCid)
    expect(nodes.has(emptyTreeCid)).toBe(true)
  })
})

describe('diffTrees', () => {
  test('reads only what differs', async () => {
    const { tree, nodes } = build(paths)
    const path = must(paths[250])
    await loadPaths(tree, [path], memoryStore(nodes))
    const applied = applyOps(tree, [{ action: 'update', path, cid: cidB }])
    const { store, asked } = counting(new BlockMap([...nodes, ...applied.newNodes]))
    const changes: string[] = []
    for await (const change of diffTrees({
      before: openTree(tree.root),
      after: openTree(applied.tree.root),
      store,
    })) {
      changes.push(change.kind)
    }
    expect(changes.filter((kind) => kind === 'record')).toHaveLength(1)
    expect(asked()).toBeLessThan(20)
  })

  test('compares with a tree without records, both ways', async () => {
    const { tree, nodes } = build(paths)
    const store = memoryStore(nodes)
    for (const [before, after, action] of [
      [emptyTree(), tree, 'create'],
      [tree, emptyTree(), 'delete'],
    ] as const) {
      const found: string[] = []
      for await (const change of diffTrees({ before, after, store })) {
        if (change.kind === 'record') found.push(`${change.action} ${change.path}`)
      }
      expect(found).toEqual(paths.map((path) => `${action} ${path}`))
    }
  })
})

describe('verifyInversion', () => {
  test('refuses operations that do not describe the tree', async () => {
    const { tree, nodes } = build(paths)
    const [there, gone] = [must(paths[5]), 'com.example.record/gone']
    await loadPaths(tree, [there, gone], memoryStore(nodes))
    const check =
      (action: 'create' | 'update' | 'delete', path: string, cid: Cid | null, prev: Cid | null) => () =>
        verifyInversion(nodes, [{ action, path, cid, prev }], tree.root)
    expect(check('create', there, cidB, null)).toThrow(InversionError)
    expect(check('create', gone, cidA, null)).toThrow(InversionError)
    expect(check('update', gone, cidA, cidB)).toThrow(InversionError)
    expect(check('update', there, cidB, cidB)).toThrow(InversionError)
    expect(check('delete', there, null, cidA)).toThrow(InversionError)
    expect(check('create', there, cidA, cidB)).toThrow(InversionError)
    expect(check('update', there, cidA, null)).toThrow(InversionError)
    expect(check('delete', gone, cidA, cidA)).toThrow(InversionError)
    expect(check('delete', 'no path', null, cidA)).toThrow(InvalidPathError)
  })

  test('misses a block only where it is needed', async () => {
    const { tree, nodes } = build(paths)
    const path = must(paths.find((candidate) => keyLayer(candidate) === 2))
    await loadPaths(tree, [path], memoryStore(nodes))
    const applied = applyOps(tree, [{ action: 'delete', path }])
    const slice = [...applied.newNodes, ...applied.proofNodes]
    expect(verifyInversion(new BlockMap(slice), applied.ops, applied.tree.root)).toEqual(tree.root)
    expect(() => verifyInversion(new BlockMap(slice.slice(1)), applied.ops, applied.tree.root)).toThrow(
      MissingBlockError,
    )
    expect(() => verifyInversion(new BlockMap(slice.slice(0, 1)), applied.ops, applied.tree.root)).toThrow(
      MissingBlockError,
    )
  })
})

describe('pathProof', () => {
  test('leads to a record or to its absence, root first', async () => {
    const { tree, nodes } = build(paths)
    for (const path of [must(paths[42]), 'com.example.record/none']) {
      await loadPaths(tree, [path], memoryStore(nodes))
      const proof = pathProof(tree, path)
      expect(proof[0]?.cid).toEqual(tree.root)
      const proven = openTree(tree.root, { foreign: true })
      await expect(loadPaths(proven, [path], memoryStore(nodes))).resolves.toBeUndefined()
      for (const { cid, bytes } of proof) expect(cidForCbor(bytes)).toEqual(cid)
      expect(findRecord(proven, path)).toEqual(findRecord(tree, path))
    }
  })
})

function pathOf(i: number): string {
  return `com.example.record/r${i}`
}

function build(sorted: readonly string[]): { tree: Tree; nodes: BlockMap } {
  const nodes = new BlockMap()
  const builder = new TreeBuilder((node) => nodes.add(node))
  for (const path of sorted) builder.add(path, cidA)
  return { tree: openTree(builder.finish()), nodes }
}

/** Returns a store that gives exactly what it is asked for and counts. */
function counting(nodes: BlockMap): { store: BlockStore; fetches: () => number; asked: () => number } {
  let fetches = 0
  let asked = 0
  const getMany = (cids: readonly Cid[]) => {
    fetches++
    asked += cids.length
    return Promise.resolve(new BlockMap(cids.map((cid) => ({ cid, bytes: must(nodes.get(cid)) }))))
  }
  return { store: { getMany }, fetches: () => fetches, asked: () => asked }
}
