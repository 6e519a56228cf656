import { describe, expect, test } from 'vitest'

import type { CaseResult } from '../run-cases.ts'
import type { Measurement } from '../statistics.ts'
import { jsonReport } from './json-report.ts'
import { describeMachine } from './machine.ts'
import { concurrencyPlot } from './plot.ts'
import { summaryTable } from './summary.ts'
import { resultTable } from './table.ts'

function measured(opsPerSec: number, cpuMsPerOp: number): { measurement: Measurement } {
  const latency = { p50Ms: 10.123_456, p99Ms: 20 }
  const rest = { clientCpuMsPerOp: 0.1, cpuMsPerOpByRole: { api: cpuMsPerOp }, failures: 0, notes: {} }
  return { measurement: { opsPerSec, cpuMsPerOp, ...latency, ...rest } }
}

const results: CaseResult[] = [4, 16].map((concurrency) => ({
  name: 'createRecord',
  params: { accounts: 100, concurrency },
  outcomes: { rookery: measured(1_000 * concurrency, 0.5), reference: measured(125, 7.5) },
}))

const machine = describeMachine('0.5.35')

describe('jsonReport', () => {
  test('has exactly the published fields', () => {
    const [first] = jsonReport(machine, results).cases
    const rookery = { opsPerSec: 4_000, cpuMsPerOp: 0.5, p50Ms: 10.12, p99Ms: 20 }
    const reference = { opsPerSec: 125, cpuMsPerOp: 7.5, p50Ms: 10.12, p99Ms: 20 }
    expect(first).toEqual({
      name: 'createRecord',
      params: { accounts: 100, concurrency: 4 },
      rookery,
      reference,
    })
    expect(Object.keys(jsonReport(machine, results))).toEqual(['machine', 'cases'])
  })

  test('has null for a system that failed or was not run, and for a figure without a meaning', () => {
    const backfill = measured(1, 1)
    backfill.measurement.p50Ms = Number.NaN
    const outcomes = { rookery: backfill, reference: { error: 'no' } }
    const result = { name: 'subscribeBackfill', params: {}, outcomes }
    const [first] = jsonReport(machine, [result]).cases
    expect(first?.reference).toBeNull()
    expect(first?.rookery?.p50Ms).toBeNull()
    expect(jsonReport(machine, [{ ...result, outcomes: {} }]).cases[0]?.rookery).toBeNull()
  })
})

describe('resultTable', () => {
  test('shows how many times better each figure is', () => {
    const ratio = resultTable(results)
      .split('\n')
      .find((line) => line.includes('ratio'))
    expect(ratio).toContain('×32')
    expect(ratio).toContain('×15')
  })

  test('shows why a system has no figures', () => {
    const failed: CaseResult = {
      name: 'getRecord',
      params: {},
      outcomes: { rookery: { error: 'answered 503' } },
    }
    expect(resultTable([failed])).toContain('failed: answered 503')
  })
})

describe('summaryTable', () => {
  test('has both systems in one line, and nothing for one that failed', () => {
    const failed: CaseResult = { name: 'getRecord', params: {}, outcomes: { rookery: { error: 'no' } } }
    const [first, second] = summaryTable([...results.slice(1), failed])
      .split('\n')
      .slice(2)
    const cells = (line = '') => line.split('|').map((cell) => cell.trim())
    const figures = '16,000 | 125 | 128 | 0.5 | 7.5 | 15 | 10.1 / 20 | 10.1 / 20'
    expect(cells(first)).toEqual([
      '',
      'createRecord accounts=100 concurrency=16',
      ...figures.split(' | '),
      '',
    ])
    expect(cells(second).filter((cell) => cell !== '')).toEqual(['getRecord'])
  })
})

describe('concurrencyPlot', () => {
  test('draws a line for each system', () => {
    const svg = concurrencyPlot(results) ?? ''
    expect(svg.match(/<polyline/g)).toHaveLength(6)
    expect(svg).not.toContain('NaN')
  })

  test('is nothing when every case has one concurrency', () => {
    expect(concurrencyPlot(results.slice(0, 1))).toBeUndefined()
  })
})
