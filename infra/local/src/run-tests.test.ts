import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { closingLines, runTests, suiteTally } from './run-tests.ts'

describe('npm test', () => {
  test('ends with what failed and, as its last line, the counts', () => {
    expect(closingLines({ passed: 12, failed: 0, skipped: 0, failures: [] })).toBe('12 passed, 0 failed')
    const failures = ['lint', 'unit: a.test.ts > adds: expected 3']
    expect(closingLines({ passed: 1, failed: 2, skipped: 3, failures })).toBe(
      'FAILED lint\nFAILED unit: a.test.ts > adds: expected 3\n1 passed, 2 failed, 3 skipped',
    )
  })

  describe('of a suite', () => {
    function tally(code: number, report: object) {
      const dir = mkdtempSync(join(tmpdir(), 'rookery-tally-'))
      const file = join(dir, 'report.json')
      writeFileSync(file, JSON.stringify(report))
      try {
        return suiteTally('unit', code, file)
      } finally {
        rmSync(dir, { recursive: true })
      }
    }

    test('counts what was reported', () => {
      const report = { numPassedTests: 5, numPendingTests: 2, numTodoTests: 1, testResults: [] }
      expect(tally(0, report)).toEqual({ passed: 5, failed: 0, skipped: 3, failures: [] })
    })

    test('names each failed test, and a file that failed without one', () => {
      const assertionResults = [
        { status: 'passed', fullName: 'sums add' },
        { status: 'failed', fullName: 'sums carry', failureMessages: ['expected 3\n  at x.ts:1'] },
      ]
      const name = (file: string) => join(import.meta.dirname, file)
      const testResults = [
        { name: name('a.test.ts'), status: 'failed', message: 'no such file', assertionResults: [] },
        { name: name('b.test.ts'), status: 'failed', message: '', assertionResults },
        { name: name('c.test.ts'), status: 'passed', message: '', assertionResults: [] },
      ]
      expect(tally(1, { numPassedTests: 2, testResults })).toEqual({
        passed: 2,
        failed: 2,
        skipped: 0,
        failures: [
          'unit: infra/local/src/a.test.ts: no such file',
          'unit: infra/local/src/b.test.ts > sums carry: expected 3',
        ],
      })
    })

    test('counts a crash without a failed test, or without a report, as one failure', () => {
      expect(tally(1, { numPassedTests: 5, testResults: [] })).toMatchObject({ failed: 1 })
      expect(suiteTally('unit', 1, '/nowhere/report.json')).toEqual({
        passed: 0,
        failed: 1,
        skipped: 0,
        failures: ['unit: vitest ended with 1, though no test failed: see its output above'],
      })
    })
  })

  test('refuses a step that it does not know', async () => {
    await expect(runTests(['lnit'])).rejects.toThrow('knows no step lnit: expected lint, format')
  })
})
