import { expect, test } from 'vitest'

import type { Measurement } from '../statistics.ts'
import type { AccountStep } from './account-growth.ts'
import { growthPlot } from './growth-plot.ts'
import { accountTable, sizeTable } from './growth-report.ts'
import { Sizes } from './sizes.ts'

const measured = (cpuMsPerOp: number): Measurement => ({
  opsPerSec: 1_000,
  cpuMsPerOp,
  p50Ms: 10,
  p99Ms: 20,
  clientCpuMsPerOp: 0.1,
  cpuMsPerOpByRole: {},
  failures: 0,
  notes: {},
})

function step(accounts: number): AccountStep {
  return {
    system: 'rookery',
    accounts,
    accountBytes: new Sizes({ 'repo rows': 700, 'account indexes': 300 }),
    accountEventBytes: 900,
    recordBytes: new Sizes({ 'record rows': 400 }),
    eventBytes: 1_400,
    createRecord: measured(0.5),
    createFirst: accounts > 1_000 ? measured(0.8) : undefined,
    getRecord: measured(0.2),
  }
}

test('sizes are per thing that came since, the log of events apart and its queue left out', () => {
  const before = new Sizes({ 'repo rows': 1_000, 'event_log rows': 500, 'event_queue rows': 8_000 })
  const after = new Sizes({
    'repo rows': 3_000,
    'event_log rows': 900,
    'event_queue rows': 80_000,
    'a rows': 4,
  })
  const [rest, events] = after.since(before, 4).withoutEvents()
  expect(rest.byTable).toEqual({ 'repo rows': 500, 'a rows': 1 })
  expect(rest.total).toBe(501)
  expect(events).toBe(100)
})

test('tables tell the bytes of each thing and where they are', () => {
  const cells = accountTable([step(1_000), step(10_000)])
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
  expect(cells[3]?.slice(1, 7)).toEqual(['10000', 'rookery', '1000', '900', '400', '1400'])
  expect([cells[2]?.[12], cells[3]?.[12]]).toEqual(['', '0.8'])
  expect(sizeTable([step(1_000), step(10_000)])).toMatch(/repo rows +\| 700 +\| 0/)
})

test('the plot has a line for each case', () => {
  const svg = growthPlot({ accounts: [step(1_000), step(10_000), step(50_000)], repos: [], chunks: [] }) ?? ''
  expect(svg.match(/<polyline/g)).toHaveLength(9)
  expect(svg).not.toContain('NaN')
  const reference: AccountStep = { ...step(10_000), system: 'reference' }
  const both = growthPlot({ accounts: [reference, step(1_000)], repos: [], chunks: [] }) ?? ''
  expect(both.match(/<polyline/g)).toHaveLength(12)
  expect(growthPlot({ accounts: [], repos: [], chunks: [] })).toBeUndefined()
})
