import { describe, expect, test } from 'vitest'

import { impurities, layerProblems, misplaced, strayImports, undeclaredImports } from './layers.ts'
import { type Manifest, manifests, projectFiles } from './project-files.ts'

const packages = manifests()
const files = projectFiles('.ts')

function manifest(name: string, layer: number | string, dependencies: string[] = []): Manifest {
  return {
    folder: `packages/${name}`,
    name: `@rookery/${name}`,
    layer,
    dependencies,
    devDependencies: [],
    entries: ['.'],
  }
}

describe('dependencies', () => {
  test('point to lower layers', () => {
    expect(layerProblems(packages)).toEqual([])
  })

  test('the check sees one that points up, sideways, or at the test kit', () => {
    const wrong = layerProblems([
      manifest('std', 0, ['@rookery/db']),
      manifest('db', 1, ['@rookery/std', '@rookery/config']),
      manifest('config', 1, ['@rookery/testkit']),
      manifest('repo', 0, ['@rookery/std']),
      manifest('testkit', 'T', ['@rookery/db']),
      manifest('stray', 'none', ['@rookery/std']),
    ])
    expect(wrong.map((text) => text.split(':')[0])).toEqual([
      '@rookery/std (layer 0) depends on @rookery/db (layer 1)',
      '@rookery/db (layer 1) depends on @rookery/config (layer 1)',
      '@rookery/config depends on the test kit',
      expect.stringContaining('@rookery/stray or @rookery/std has no "rookery"') as string,
    ])
  })
})

describe('imports', () => {
  test('are declared', () => {
    expect(undeclaredImports(packages, files)).toEqual([])
  })

  test('stay in their package or go through its index', () => {
    expect(strayImports(packages, files)).toEqual([])
  })

  test('the checks see an undeclared, a leaving and a reaching import', () => {
    const db = manifest('db', 1, ['@rookery/std'])
    const file = (path: string, text: string) => [{ path, text }]
    expect(
      undeclaredImports([db], file('packages/db/src/a.ts', `import { a } from '@rookery/config'`)),
    ).toEqual(['packages/db/src/a.ts imports @rookery/config: add it to the dependencies of @rookery/db'])
    expect(undeclaredImports([db], file('packages/db/src/a.test.ts', `import '@rookery/testkit'`))).toEqual(
      [],
    )
    expect(
      strayImports([db], file('packages/db/src/a.ts', `export * from '../../std/src/index.ts'`)),
    ).toHaveLength(1)
    expect(
      strayImports([db], file('packages/db/src/a.ts', `await import('@rookery/std/src/loop.ts')`)),
    ).toHaveLength(1)
    expect(strayImports([db], file('packages/db/src/x/a.ts', `import { b } from '../b.ts'`))).toEqual([])
    const offering = { ...manifest('std', 0), entries: ['.', 'loop'] }
    const taking = file('packages/db/src/a.ts', `import { Loop } from '@rookery/std/loop'`)
    expect(strayImports([db, offering], taking)).toEqual([])
  })
})

describe('layer 0', () => {
  test('is pure', () => {
    expect(impurities(packages, files)).toEqual([])
  })

  test('the check sees a clock, a file and a random number, but not in a comment', () => {
    const check = (text: string) =>
      impurities([manifest('repo', 0)], [{ path: 'packages/repo/src/a.ts', text }])
    expect(check('const now = Date.now()')).toHaveLength(1)
    expect(check(`import { readFileSync } from 'node:fs'`)).toHaveLength(1)
    expect(check('Math.random()')).toHaveLength(1)
    expect(check(`// Date.now is the caller's\nimport { hash } from 'node:crypto'`)).toEqual([])
  })
})

describe('everything in its place', () => {
  test('environment, fetch, SQL, timers and exits', () => {
    expect(misplaced(files)).toEqual([])
  })

  test.each([
    ['process.env', `process.env['X']`, 'packages/config/src/a.ts'],
    ['fetch', `await fetch(url)`, 'packages/http/src/a.ts'],
    ['SQL', 'await pool.query(`select secret`)', 'packages/accounts/src/account-queries.ts'],
    ['SQL', 'sql`select 1`.execute(db)', 'packages/accounts/src/deep/queries.ts'],
    ['setInterval', 'setInterval(run, 1)', 'infra/local/src/backend.ts'],
    ['process.exit', 'process.exit(1)', 'apps/api/src/main.ts'],
  ])('the check sees a misplaced %s', (word, text, home) => {
    expect(misplaced([{ path: 'packages/accounts/src/other.ts', text }])[0]).toContain(word)
    expect(misplaced([{ path: home, text }])).toEqual([])
  })

  test('the check lets methods and parameters of the same name be', () => {
    const text = 'sources.fetch(a); this.#fetch(b); async fetch(c) {}; const q = { sql: 1 }'
    expect(misplaced([{ path: 'packages/identity/src/a.ts', text }])).toEqual([])
  })
})
