/** Draws throughput and latency against concurrency as an SVG: one column for each case, one line for each system. */
import type { CaseResult } from '../run-cases.ts'
import type { SystemName } from '../systems/system.ts'

const panel = { width: 380, height: 230, left: 62, right: 16, top: 34, bottom: 40 }
const colors: Record<SystemName, string> = { rookery: '#0b6e4f', reference: '#b4532a' }

type Point = { x: number; y: number }
type Line = { name: SystemName; points: Point[] }
type Series = { title: string; lines: Record<'opsPerSec' | 'p50Ms' | 'p99Ms', Line[]> }

/** Returns the drawing, or undefined when no case was measured at several concurrencies. */
export function concurrencyPlot(results: readonly CaseResult[]): string | undefined {
  const series = seriesOf(results)
  if (series.length === 0) return undefined
  const parts = series.flatMap(({ title, lines }, column) => {
    const x = column * panel.width
    return [
      drawPanel({ title: `${title}: operations per second`, lines: lines.opsPerSec }, { x, y: 0 }),
      drawPanel({ title: `${title}: p50, ms`, lines: lines.p50Ms }, { x, y: panel.height }),
      drawPanel({ title: `${title}: p99, ms`, lines: lines.p99Ms }, { x, y: 2 * panel.height }),
    ]
  })
  const width = series.length * panel.width
  const height = 3 * panel.height + 24
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...parts,
    legend(height - 8),
    '</svg>',
    '',
  ].join('\n')
}

/** Groups results that differ only in concurrency. */
function seriesOf(results: readonly CaseResult[]): Series[] {
  const groups = Map.groupBy(results, ({ name, params }) => {
    const others = Object.entries(params).filter(([key]) => key !== 'concurrency')
    return [name, ...others.map(([key, value]) => `${key}=${value}`)].join(' ')
  })
  return [...groups].flatMap(([title, members]) => {
    const concurrencies = new Set(members.map(({ params }) => params['concurrency']))
    if (concurrencies.size < 2) return []
    const lines = (field: keyof Series['lines']) =>
      (['rookery', 'reference'] as const).map((name) => ({ name, points: pointsOf(members, name, field) }))
    return [{ title, lines: { opsPerSec: lines('opsPerSec'), p50Ms: lines('p50Ms'), p99Ms: lines('p99Ms') } }]
  })
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

/** Both axes are logarithmic: the systems differ by orders of magnitude. */
function drawPanel(what: { title: string; lines: Line[] }, at: Point): string {
  const all = what.lines.flatMap(({ points }) => points)
  const toX = scale(
    all.map(({ x }) => x),
    [panel.left, panel.width - panel.right],
  )
  const toY = scale(
    all.map(({ y }) => y),
    [panel.height - panel.bottom, panel.top],
  )
  const xs = [...new Set(all.map(({ x }) => x))]
  const bottom = panel.height - panel.bottom
  return [
    `<g transform="translate(${at.x},${at.y})">`,
    `<text x="${panel.left}" y="18" font-weight="bold">${what.title}</text>`,
    ...decades(all.map(({ y }) => y)).map(
      (y) =>
        `<line x1="${panel.left}" x2="${panel.width - panel.right}" y1="${toY(y)}" y2="${toY(y)}" stroke="#ddd"/>` +
        `<text x="${panel.left - 6}" y="${toY(y) + 4}" text-anchor="end">${y}</text>`,
    ),
    ...xs.map((x) => `<text x="${toX(x)}" y="${bottom + 16}" text-anchor="middle">${x}</text>`),
    `<text x="${panel.width / 2}" y="${bottom + 31}" text-anchor="middle">connections</text>`,
    ...what.lines.map(({ name, points }) =>
      drawLine(
        name,
        points.map(({ x, y }) => ({ x: toX(x), y: toY(y) })),
      ),
    ),
    '</g>',
  ].join('\n')
}

function drawLine(name: SystemName, points: readonly Point[]): string {
  const path = points.map(({ x, y }) => `${x},${y}`).join(' ')
  const dots = points.map(({ x, y }) => `<circle cx="${x}" cy="${y}" r="3" fill="${colors[name]}"/>`)
  return `<polyline points="${path}" fill="none" stroke="${colors[name]}" stroke-width="2"/>${dots.join('')}`
}

function legend(y: number): string {
  return Object.entries(colors)
    .map(([name, color], n) => {
      const x = panel.left + n * 100
      return `<circle cx="${x}" cy="${y - 4}" r="4" fill="${color}"/><text x="${x + 9}" y="${y}">${name}</text>`
    })
    .join('')
}

/** Maps values to pixels by their logarithm; a single value lands in the middle. */
function scale(values: readonly number[], [from, to]: [number, number]): (value: number) => number {
  const marks = [...decades(values), ...values].map(Math.log10)
  const min = Math.min(...marks)
  const span = Math.max(...marks) - min
  return (value) =>
    round(span === 0 ? (from + to) / 2 : from + ((Math.log10(value) - min) / span) * (to - from))
}

/** The powers of ten that enclose the values. */
function decades(values: readonly number[]): number[] {
  const positive = values.filter((value) => value > 0)
  if (positive.length === 0) return []
  const first = Math.floor(Math.log10(Math.min(...positive)))
  const last = Math.ceil(Math.log10(Math.max(...positive)))
  return Array.from({ length: last - first + 1 }, (_, n) => 10 ** (first + n))
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10
}
