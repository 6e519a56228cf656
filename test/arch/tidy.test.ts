import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { projectDir, projectFiles } from './project-files.ts'
import {
  deadLinks,
  longFiles,
  looseEnds,
  silencedTests,
  sourceLinesMax,
  testLinesMax,
  titleProblems,
} from './tidy.ts'

const sources = projectFiles('.ts', '.mjs')
const documents = projectFiles('.md')
// This check's own files name what they look for.
const others = sources.filter(({ path }) => !path.startsWith('test/arch/'))

describe('files', () => {
  test('are short', () => {
    expect(longFiles(sources)).toEqual([])
  })

  test('leave no loose ends', () => {
    expect(looseEnds([...others, ...documents])).toEqual([])
  })

  test('silence no test', () => {
    expect(silencedTests(others)).toEqual([])
  })

  test('the checks see one line too many, a mark without an issue and a silenced test', () => {
    const lines = (count: number) => 'x\n'.repeat(count)
    expect(longFiles([{ path: 'a.ts', text: lines(sourceLinesMax) }])).toEqual([])
    expect(longFiles([{ path: 'a.ts', text: lines(sourceLinesMax + 1) }])).toHaveLength(1)
    expect(longFiles([{ path: 'a.test.ts', text: lines(testLinesMax) }])).toEqual([])
    expect(longFiles([{ path: 'a.test.ts', text: lines(testLinesMax + 1) }])).toHaveLength(1)
    const said = looseEnds([{ path: 'a.ts', text: '// TODO(#12): later\n// TODO: some day\n// FIXME' }])
    expect(said.map((text) => text.split(' ')[0])).toEqual(['a.ts:2', 'a.ts:3'])
    expect(silencedTests([{ path: 'a.test.ts', text: `test.skip('x')` }])).toHaveLength(1)
    expect(silencedTests([{ path: 'a.test.ts', text: `test.each([])('x')` }])).toEqual([])
  })
})

describe('documents', () => {
  test('have one title each', () => {
    expect(titleProblems(documents)).toEqual([])
  })

  test('link to what is there', () => {
    expect(deadLinks(documents, (path) => existsSync(join(projectDir, path)))).toEqual([])
  })

  test('the checks see a second title, a dead link and a dead anchor, but not in code', () => {
    expect(titleProblems([{ path: 'a.md', text: '# One\n\n# Two\n' }])).toHaveLength(1)
    expect(titleProblems([{ path: 'a.md', text: '# One\n\n```sh\n# not a title\n```\n' }])).toEqual([])
    const linking = {
      path: 'docs/a.md',
      text: [
        '# A title',
        '[good](b.md#two-words) [self](#a-title) [web](https://example.test/x) `[code](gone.md)`',
        '[dead](gone.md) [no heading](b.md#three)',
      ].join('\n'),
    }
    const files = [linking, { path: 'docs/b.md', text: '# B\n## Two, words!\n' }]
    expect(deadLinks(files, (path) => files.some((file) => file.path === path))).toEqual([
      'docs/a.md links to gone.md, which is not there',
      'docs/a.md links to b.md#three, but docs/b.md has no such heading',
    ])
  })
})
