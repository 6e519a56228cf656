import { type Panel, type Point, drawing } from '../report/panels.ts'
import type { Measurement } from '../statistics.ts'
import type { SystemName } from '../systems/system.ts'
import type { AccountStep } from './account-growth.ts'
import type { HourChunk } from './hour.ts'
import type { RepoStep } from './repo-growth.ts'

const colors = {
  createRecord: '#0b6e4f',
  'first createRecord': '#6aaf7a',
  getRecord: '#2f5d9b',
  'reference, createRecord': '#b4532a',
  'reference, getRecord': '#d99a6c',
}

type Cases = { createRecord: Measurement; getRecord: Measurement }

/** Draws cost and latency against accounts, records per repo and records written; undefined when there are none. */
export function growthPlot(of: {
  accounts: readonly AccountStep[]
  repos: readonly RepoStep[]
  chunks: readonly HourChunk[]
}): string | undefined {
  const columns: Panel[][] = []
  if (of.accounts.length > 0)
    columns.push(panels('accounts', [...accountLines(of.accounts), ...firstWrites(of.accounts)]))
  if (of.repos.length > 0) columns.push(panels('records in the repo', repoLines(of.repos)))
  if (of.chunks.length > 0) columns.push(panels('records written', hourLines(of.chunks)))
  return columns.length === 0 ? undefined : drawing(columns, colors)
}

/** One line of measurements, each at its place on the horizontal axis. */
type Series = { color: string; at: { x: number; measurement: Measurement }[] }

function panels(xLabel: string, series: readonly Series[]): Panel[] {
  const panel = (title: string, of: (measurement: Measurement) => number): Panel => ({
    title,
    xLabel,
    lines: series.map(({ color, at }) => ({
      color,
      points: at.map(({ x, measurement }): Point => ({ x, y: of(measurement) })),
    })),
  })
  return [
    panel('CPU-ms per operation', ({ cpuMsPerOp }) => cpuMsPerOp),
    panel('p50, ms', ({ p50Ms }) => p50Ms),
    panel('p99, ms', ({ p99Ms }) => p99Ms),
  ]
}

function accountLines(steps: readonly AccountStep[]): Series[] {
  return (['rookery', 'reference'] as const).flatMap((name) => {
    const own = steps.filter(({ system }) => system === name)
    return own.length === 0 ? [] : bothCases(name, own, ({ accounts }) => accounts)
  })
}

function firstWrites(steps: readonly AccountStep[]): Series[] {
  const at = steps.flatMap(({ system, accounts, createFirst }) =>
    system !== 'rookery' || createFirst === undefined ? [] : [{ x: accounts, measurement: createFirst }],
  )
  return at.length === 0 ? [] : [{ color: colors['first createRecord'], at }]
}

function repoLines(steps: readonly RepoStep[]): Series[] {
  return bothCases('rookery', steps, ({ records }) => records)
}

function bothCases<T extends Cases>(
  system: SystemName,
  steps: readonly T[],
  x: (step: T) => number,
): Series[] {
  return (['createRecord', 'getRecord'] as const).map((name) => ({
    color: colors[system === 'rookery' ? name : (`reference, ${name}` as const)],
    at: steps.map((step) => ({ x: x(step), measurement: step[name] })),
  }))
}

function hourLines(chunks: readonly HourChunk[]): Series[] {
  const at = chunks.map(({ writes, createRecord }) => ({ x: writes, measurement: createRecord }))
  return [{ color: colors.createRecord, at }]
}
