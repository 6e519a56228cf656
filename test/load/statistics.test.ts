import { describe, expect, test } from 'vitest'

import { type Measurement, median, percentile, significant, summarise } from './statistics.ts'

const window: Measurement = {
  opsPerSec: 100,
  cpuMsPerOp: 2,
  p50Ms: 10,
  p99Ms: 20,
  clientCpuMsPerOp: 0.1,
  cpuMsPerOpByRole: { api: 1.5, postgres: 0.5 },
  failures: 1,
  notes: { othersP99Ms: 30 },
}

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => n + 1)

  test('is the smallest value that the share does not exceed', () => {
    expect(percentile(hundred, 0.5)).toBe(50)
    expect(percentile(hundred, 0.99)).toBe(99)
    expect(percentile(hundred, 1)).toBe(100)
  })

  test('of one value is that value, and of none is no number', () => {
    expect(percentile([7], 0.01)).toBe(7)
    expect(percentile([], 0.5)).toBeNaN()
  })
})

describe('median', () => {
  test('does not depend on the order', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([])).toBeNaN()
  })
})

describe('summarise', () => {
  test('takes the median of every figure and adds the failures up', () => {
    const summary = summarise([
      window,
      { ...window, opsPerSec: 300, cpuMsPerOpByRole: { api: 2.5 }, notes: { othersP99Ms: 50 } },
      { ...window, opsPerSec: 110, failures: 0, notes: {} },
    ])
    expect(summary.opsPerSec).toBe(110)
    expect(summary.cpuMsPerOpByRole).toEqual({ api: 1.5, postgres: 0.5 })
    expect(summary.notes).toEqual({ othersP99Ms: 40 })
    expect(summary.failures).toBe(2)
  })

  test('leaves out a throughput in bytes that no window has', () => {
    expect(summarise([window])).not.toHaveProperty('bytesPerSec')
    expect(summarise([{ ...window, bytesPerSec: 5 }]).bytesPerSec).toBe(5)
  })
})

describe('significant', () => {
  test('keeps so many digits, and what is no number', () => {
    expect(significant(1234.567)).toBe(1235)
    expect(significant(0.000_123_456, 3)).toBe(0.000_123)
    expect(significant(Number.NaN)).toBeNaN()
  })
})
