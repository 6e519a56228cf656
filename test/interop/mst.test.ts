import {
  type Tree,
  type WriteOp,
  applyOps,
  emptyTree,
  isRecordPath,
  keyLayer,
  sharedPrefixLength,
  TreeBuilder,
} from '@rookery/repo'
import { type Cid, cidToString, parseCid } from '@rookery/syntax'
import { describe, expect, test } from 'vitest'

import { jsonVectors, lineVectors } from './vectors.ts'

type Prefix = { left: string; right: string; len: number }
type Height = { key: string; height: number }

const leaf = parseCid('bafyreie5cvv4h45feadgeuwhbcutmh6t2ceseocckahdoe6uat64zmz454')

/** Known roots (SPEC 21.2): key suffixes, root, and the root after one further key is added or deleted. */
const roots: { suffixes: string; root: string; change?: { key: string; root: string } }[] = [
  { suffixes: '', root: 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm' },
  { suffixes: '3fo2j', root: 'bafyreibj4lsc3aqnrvphp5xmrnfoorvru4wynt6lwidqbm2623a6tatzdu' },
  { suffixes: '3fx2j', root: 'bafyreih7wfei65pxzhauoibu3ls7jgmkju4bspy4t2ha2qdjnzqvoy33ai' },
  {
    suffixes: '3fp2j 3fr2j 3fs2j 3ft2j 4fc2j',
    root: 'bafyreicmahysq4n6wfuxo522m6dpiy7z7qzym3dzs756t5n7nfdgccwq7m',
  },
  {
    suffixes: '3fn2j 3fo2j 3fp2j 3fs2j 3ft2j 3fu2j',
    root: 'bafyreifnqrwbk6ffmyaz5qtujqrzf5qmxf7cbxvgzktl4e3gabuxbtatv4',
    change: { key: '3fs2j', root: 'bafyreie4kjuxbwkhzg2i5dljaswcroeih4dgiqq6pazcmunwt2byd725vi' },
  },
  {
    suffixes: '3fo2j 3fp2j 3fr2j 3fs2j 3ft2j 3fz2j 4fc2j 4fd2j 4ff2j 4fg2j 4fh2j',
    root: 'bafyreiettyludka6fpgp33stwxfuwhkzlur6chs4d2v4nkmq2j3ogpdjem',
    change: { key: '3fx2j', root: 'bafyreid2x5eqs4w4qxvc5jiwda4cien3gw2q6cshofxwnvv7iucrmfohpm' },
  },
  {
    suffixes: '3ft2j 3fz2j',
    root: 'bafyreidfcktqnfmykz2ps3dbul35pepleq7kvv526g47xahuz3rqtptmky',
    change: { key: '3fx2j', root: 'bafyreiavxaxdz7o7rbvr3zg2liox2yww46t7g6hkehx4i4h3lwudly7dhy' },
  },
  {
    suffixes: '3ft2j 3fx2j 3fz2j',
    root: 'bafyreiavxaxdz7o7rbvr3zg2liox2yww46t7g6hkehx4i4h3lwudly7dhy',
    change: { key: '4fd2j', root: 'bafyreig4jv3vuajbsybhyvb7gggvpwh2zszwfyttjrj6qwvcsp24h6popu' },
  },
]

// SPEC MST-1, MST-3, MST-7, MST-8
describe('MST vectors', () => {
  test.each(jsonVectors('mst/common_prefix.json') as Prefix[])('$left and $right share $len', (vector) => {
    expect(sharedPrefixLength(vector.left, vector.right)).toBe(vector.len)
  })

  test.each(jsonVectors('mst/key_heights.json') as Height[])('$key is on layer $height', (vector) => {
    expect(keyLayer(vector.key)).toBe(vector.height)
  })

  test('each example key is on the layer that its second character names', () => {
    const keys = lineVectors('mst/example_keys.txt')
    expect(keys).toHaveLength(156)
    for (const key of keys) {
      expect(isRecordPath(key)).toBe(true)
      expect(keyLayer(key)).toBe(Number(key[1]))
    }
  })

  test.each(roots)(
    'keys [$suffixes] have the known root, built and added one by one',
    ({ suffixes, root }) => {
      const paths = pathsOf(suffixes)
      expect(cidToString(built(paths))).toBe(root)
      expect(cidToString(added(paths.toReversed()).root)).toBe(root)
    },
  )

  test.each(roots.filter(({ change }) => change))(
    'one key more or less than [$suffixes] gives the known root, and back',
    ({ suffixes, root, change }) => {
      const path = pathsOf(change?.key ?? '')[0] ?? ''
      const tree = added(pathsOf(suffixes))
      const forth: WriteOp = suffixes.includes(change?.key ?? '')
        ? { action: 'delete', path }
        : { action: 'create', path, cid: leaf }
      const back: WriteOp =
        forth.action === 'delete' ? { action: 'create', path, cid: leaf } : { action: 'delete', path }
      const changed = applyOps(tree, [forth]).tree
      expect(cidToString(changed.root)).toBe(change?.root)
      expect(cidToString(applyOps(changed, [back]).tree.root)).toBe(root)
    },
  )
})

function pathsOf(suffixes: string): string[] {
  return suffixes
    .split(' ')
    .filter((suffix) => suffix !== '')
    .map((suffix) => `com.example.record/3jqfcqzm${suffix}`)
    .sort()
}

function built(paths: readonly string[]): Cid {
  const builder = new TreeBuilder(() => {})
  for (const path of paths) builder.add(path, leaf)
  return builder.finish()
}

function added(paths: readonly string[]): Tree {
  let tree = emptyTree()
  for (const path of paths) tree = applyOps(tree, [{ action: 'create', path, cid: leaf }]).tree
  return tree
}
