/** Draws throughput and latency against concurrency: one column for each case, one line for each system. */
import type { CaseResult } from '../run-cases.ts'
import type { SystemName } from '../systems/system.ts'
import { type Line, type Panel, type Point, drawing } from './panels.ts'

/** What each system's lines look like. */
const systemColors: Record<SystemName, string> = { rookery: '#0b6e4f', reference: '#b4532a' }

const xLabel = 'connections'

/** Returns the drawing, or undefined when no case was measured at several concurrencies. */
export function concurrencyPlot(results: readonly CaseResult[]): string | undefined {
  const groups = Map.groupBy(results, ({ name, params }) => {
    const others = Object.entries(params).filter(([key]) => key !== 'concurrency')
    return [name, ...others.map(([key, value]) => `${key}=${value}`)].join(' ')
  })
  const columns = [...groups].flatMap(([title, members]): Panel[][] => {
    const concurrencies = new Set(members.map(({ params }) => params['concurrency']))
    if (concurrencies.size < 2) return []
    return [
      [
        { title: `${title}: operations per second`, xLabel, lines: linesOf(members, 'opsPerSec') },
        { title: `${title}: p50, ms`, xLabel, lines: linesOf(members, 'p50Ms') },
        { title: `${title}: p99, ms`, xLabel, lines: linesOf(members, 'p99Ms') },
      ],
    ]
  })
  return columns.length === 0 ? undefined : drawing(columns, systemColors)
}

function linesOf(members: readonly CaseResult[], field: 'opsPerSec' | 'p50Ms' | 'p99Ms'): Line[] {
  return (['rookery', 'reference'] as const).map((name) => ({
    color: systemColors[name],
    points: pointsOf(members, name, field),
  }))
}

function pointsOf(
  members: readonly CaseResult[],
  name: SystemName,
  field: 'opsPerSec' | 'p50Ms' | 'p99Ms',
): Point[] {
  return members
    .flatMap(({ params, outcomes }) => {
      const outcome = outcomes[name]
      if (outcome === undefined || 'error' in outcome) return []
      return [{ x: Number(params['concurrency']), y: outcome.measurement[field] }]
    })
    .sort((a, b) => a.x - b.x)
}
