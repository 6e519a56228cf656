import { describe, expect, test } from 'vitest'

import { BenchError } from './bench-error.ts'
import { caseNames, chooseCases } from './cases/cases.ts'
import { parseFlags } from './flags.ts'

describe('parseFlags', () => {
  test('has shorter windows and fewer rounds for a quick run', () => {
    expect(parseFlags([])).toMatchObject({ rounds: 3, windowMs: 2_000, only: [] })
    expect(parseFlags(['--quick'])).toMatchObject({ rounds: 2, windowMs: 1_000, isQuick: true })
  })

  test('takes names with commas and repeated', () => {
    const { only } = parseFlags(['--only', 'getRecord,createRecord', '--only', 'getRepo10k'])
    expect(only).toEqual(['getRecord', 'createRecord', 'getRepo10k'])
  })

  test.each([
    ['--only', 'nothing'],
    ['--systems', 'other'],
    ['--rounds', '0'],
    ['--api', '0'],
    ['--windows', '5'],
    ['extra'],
  ])('refuses %s %s', (...args) => {
    expect(() => parseFlags(args)).toThrow(BenchError)
  })
})

describe('chooseCases', () => {
  test('has every case in a full run, and its main variant in a quick one', () => {
    const all = chooseCases({ only: [], isQuick: false, apiCount: 1 }).flatMap(({ cases }) => cases)
    const quick = chooseCases({ only: [], isQuick: true, apiCount: 1 }).flatMap(({ cases }) => cases)
    expect(new Set(all.map(({ name }) => name))).toEqual(new Set(caseNames()))
    expect(quick.filter(({ name }) => name === 'createRecord').map(({ params }) => params)).toEqual([
      { accounts: 100, concurrency: 16 },
    ])
  })

  test('starts the asked number of api processes where a case has none of its own', () => {
    const apiCounts = chooseCases({ only: ['createRecord'], isQuick: false, apiCount: 3 }).map(
      (group) => group.apiCount,
    )
    expect(apiCounts).toEqual([parseFlags(['--api', '3']).apiCount, 1, 2, 4])
  })

  test('has no two variants with the same name and parameters', () => {
    const all = chooseCases({ only: [], isQuick: false, apiCount: 1 }).flatMap(({ cases }) => cases)
    const keys = all.map(({ name, params }) => JSON.stringify([name, params]))
    expect(new Set(keys).size).toBe(keys.length)
  })
})
