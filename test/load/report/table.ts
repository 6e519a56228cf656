import { type CaseResult, type Outcome, paramText } from '../run-cases.ts'
import { significant } from '../statistics.ts'
import type { SystemName } from '../systems/system.ts'

const columns = [
  'case',
  'system',
  'ops/s',
  'p50 ms',
  'p99 ms',
  'CPU-ms/op',
  'MB/s',
  'client CPU-ms/op',
  'by role, CPU-ms/op',
  'notes',
]

const bytesPerMb = 1e6

/** The results as a Markdown table, with a line of ratios where both systems were measured. */
export function resultTable(results: readonly CaseResult[]): string {
  return markdownTable(columns, results.flatMap(rows))
}

/** A Markdown table whose columns line up. */
export function markdownTable(head: readonly string[], body: readonly string[][]): string {
  const widths = head.map((title, n) => Math.max(title.length, ...body.map((row) => (row[n] ?? '').length)))
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, n) => (cells[n] ?? '').padEnd(width)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  return [line(head), rule, ...body.map(line)].join('\n')
}

function rows(result: CaseResult): string[][] {
  const title = `${result.name} ${paramText(result.params)}`
  const names: SystemName[] = ['rookery', 'reference']
  const measured = names.flatMap((name) => {
    const outcome = result.outcomes[name]
    return outcome === undefined ? [] : [row(title, name, outcome)]
  })
  return [...measured, ...ratioRow(result)]
}

function row(title: string, name: SystemName, outcome: Outcome): string[] {
  if ('error' in outcome) return [title, name, `failed: ${outcome.error.slice(0, 100)}`]
  const { measurement } = outcome
  const { opsPerSec, p50Ms, p99Ms, cpuMsPerOp, bytesPerSec, clientCpuMsPerOp, failures } = measurement
  const notes = { ...(failures > 0 && { failures }), ...measurement.notes }
  return [
    title,
    name,
    ...[opsPerSec, p50Ms, p99Ms, cpuMsPerOp].map(text),
    bytesPerSec === undefined || bytesPerSec < bytesPerMb ? '' : text(bytesPerSec / bytesPerMb),
    text(clientCpuMsPerOp),
    pairs(withoutZeros(measurement.cpuMsPerOpByRole)),
    pairs(notes),
  ]
}

/** How many times as many operations, and how many times less CPU time. */
function ratioRow({ outcomes: { rookery, reference } }: CaseResult): string[][] {
  if (rookery === undefined || reference === undefined) return []
  if ('error' in rookery || 'error' in reference) return []
  const { opsPerSec, cpuMsPerOp, p50Ms, p99Ms } = rookery.measurement
  const other = reference.measurement
  const times = (value: number) => (Number.isFinite(value) ? `×${text(value)}` : '')
  return [
    [
      '',
      'ratio',
      times(opsPerSec / other.opsPerSec),
      times(other.p50Ms / p50Ms),
      times(other.p99Ms / p99Ms),
      times(other.cpuMsPerOp / cpuMsPerOp),
    ],
  ]
}

function withoutZeros(values: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0))
}

function pairs(values: Record<string, number>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${text(value)}`)
    .join(', ')
}

function text(value: number): string {
  if (!Number.isFinite(value)) return ''
  if (Math.abs(value) >= 1_000) return String(Math.round(value))
  return String(significant(value, 3))
}
