import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { testCases } from '../support/test-cases.ts'
import {
  type Coverage,
  brokenEntries,
  projectDir,
  readCoverage,
  referenceCases,
  referenceVersion,
  unlistedCases,
} from '../conformance/reference/coverage.ts'
import { coverageDocument } from '../conformance/reference/document.ts'

const table = readCoverage()

describe('the coverage of the reference’s suite', () => {
  test('lists every case, and no other', () => {
    expect(unlistedCases(referenceCases(), table)).toEqual([])
  })

  test('names tests that exist', () => {
    expect(brokenEntries(table), 'correct test/conformance/reference/cases, then pnpm gen').toEqual([])
  })

  test('is what the document says', () => {
    const written = readFileSync(join(projectDir, 'docs/reference-coverage.md'), 'utf8')
    expect(written, 'run pnpm gen').toBe(coverageDocument(table, referenceVersion()))
  })
})

describe('the checks', () => {
  const entry = (coverage: object) => new Map([['a.test.ts', new Map([['case', coverage as Coverage]])]])
  const source = `describe('group', () => {
    test('one', () => {})
    test.each([1, 2])('takes %s', (n) => {})
    for (const x of y) it(\`knows \${x}\`, () => {})
  })
  test('one', () => {})
  describe('a', () => test('two', () => {}))
  describe('b', () => { test('two', () => {}); test('two', () => {}) })
  notATest('three', () => test)`

  test('read titles with their groups, tables, templates and repetitions', () => {
    expect(testCases('x.test.ts', source).map(({ name }) => name)).toEqual([
      'group › one',
      'group › takes %s',
      'group › knows ${x}',
      'one',
      'a › two',
      'b › two',
      'b › two #2',
    ])
    expect(() => testCases('x.test.ts', 'test(')).toThrow('x.test.ts')
  })

  test('see a case that is missing and one that is gone', () => {
    const said = unlistedCases(new Map([['a.test.ts', ['other']]]), entry({ pending: 'later' }))
    expect(said.map((text) => text.split(':')[0])).toEqual([
      'a.test.ts › other',
      'a.test.ts › case is no case of the reference',
    ])
  })

  test.each<[string, object, number]>([
    ['a test that is there', { tests: ['x.test.ts › takes %s'] }, 0],
    ['a test with its group', { tests: ['x.test.ts › group › one'] }, 0],
    ['a test that is not there', { tests: ['x.test.ts › three'] }, 1],
    ['a file that is not there', { tests: ['y.test.ts › one'] }, 1],
    ['a title that several tests have', { tests: ['x.test.ts › two'] }, 1],
    ['no test', { tests: [] }, 1],
    ['an empty reason', { notApplicable: '' }, 1],
    ['nothing', {}, 1],
  ])('judge %s', (_name, coverage, problems) => {
    const readFile = (path: string) => (path === 'x.test.ts' ? source : undefined)
    expect(brokenEntries(entry(coverage), readFile)).toHaveLength(problems)
  })
})
