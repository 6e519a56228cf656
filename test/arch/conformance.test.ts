import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { projectDir } from '../conformance/reference/coverage.ts'
import {
  type Section,
  conformanceProblems,
  readProofs,
  readSections,
  tagsOf,
} from '../conformance/spec/conformance.ts'
import { conformanceDocument } from '../conformance/spec/document.ts'

describe('the requirements of the specification', () => {
  const [sections, proofs] = [readSections(), readProofs()]

  test('are each proven by a tagged test, or explained', () => {
    expect(conformanceProblems(sections, proofs)).toEqual([])
  })

  test('are what the document says', () => {
    const written = readFileSync(join(projectDir, 'docs/conformance.md'), 'utf8')
    expect(written, 'run pnpm gen').toBe(conformanceDocument(sections, proofs))
  })
})

describe('the checks', () => {
  test('read the tags of tests and of groups', () => {
    const text = [
      '// SPEC XR-1, XR-2',
      `describe('group', () => {`,
      '  // SPEC EM-1',
      '  // And a word on why.',
      `  test.each([1])('one', () => {})`,
      '})',
      `// In words, SPEC EM-9 is none.`,
      `test('two', () => {})`,
    ].join('\n')
    expect(tagsOf('x.test.ts', text)).toEqual([
      ['XR-1', 'group'],
      ['XR-2', 'group'],
      ['EM-1', 'group › one'],
    ])
  })

  test('see a tag that is above something else', () => {
    const text = `// SPEC XR-1\nconst a = 1\ntest('one', () => {})`
    expect(() => tagsOf('x.test.ts', text)).toThrow('x.test.ts')
    expect(() => tagsOf('x.test.ts', `test('one', () => {})\n// SPEC XR-1`)).toThrow('not directly above')
  })

  test.each<[string, Section['requirements'], string[], number]>([
    ['a proven one', { 'A-1': { demand: 'x' } }, ['A-1'], 0],
    ['an explained one', { 'A-1': { demand: 'x', reason: 'y' } }, [], 0],
    ['one without anything', { 'A-1': { demand: 'x' } }, [], 1],
    ['one that is proven and still pending', { 'A-1': { demand: 'x', pending: 'y' } }, ['A-1'], 1],
    ['a tag of no requirement', {}, ['A-1'], 1],
  ])('judge %s', (_name, requirements, tagged, problems) => {
    const proofs = new Map(tagged.map((number) => [number, [{ path: 'x.test.ts', name: 'x' }]]))
    expect(conformanceProblems([{ title: 'A', requirements }], proofs)).toHaveLength(problems)
  })
})
