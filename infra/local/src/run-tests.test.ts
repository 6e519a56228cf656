import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { closingLine, runTests, suiteTally } from './run-tests.ts'

describe('npm test', () => {
  test('ends with one line that counts', () => {
    expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed')
    expect(closingLine({ passed: 1, failed: 2, skipped: 3 })).toBe('1 passed, 2 failed, 3 skipped')
  })

  test('counts what was reported, and a crash without a failed test or a file that did not load as one failure', () => {
    const dir = mkdtempSync(join(tmpdir(), 'rookery-tally-'))
    const report = join(dir, 'report.json')
    writeFileSync(
      report,
      JSON.stringify({ numPassedTests: 5, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 }),
    )
    expect(suiteTally(1, report)).toEqual({ passed: 5, failed: 1, skipped: 3 })
    writeFileSync(report, JSON.stringify({ numPassedTests: 5, numFailedTests: 0 }))
    expect(suiteTally(0, report)).toEqual({ passed: 5, failed: 0, skipped: 0 })
    expect(suiteTally(1, report)).toEqual({ passed: 5, failed: 1, skipped: 0 })
    const testResults = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] },
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
    ]
    writeFileSync(report, JSON.stringify({ numPassedTests: 2, numFailedTests: 1, testResults }))
    expect(suiteTally(1, report)).toEqual({ passed: 2, failed: 2, skipped: 0 })
    rmSync(dir, { recursive: true })
    expect(suiteTally(1, report)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  test('refuses a step that it does not know', async () => {
    await expect(runTests(['lnit'])).rejects.toThrow('knows no step lnit: expected lint, format')
  })
})
