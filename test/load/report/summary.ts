import { type CaseResult, type Outcome, paramText } from '../run-cases.ts'
import { significant } from '../statistics.ts'
import { markdownTable } from './table.ts'

const head = [
  'case',
  'Rookery, per second',
  'reference',
  'times',
  'Rookery, CPU-ms',
  'reference',
  'times less',
  'Rookery, p50 / p99 ms',
  'reference',
]

/** One line for each case, both systems beside each other: the form in which results are documented. */
export function summaryTable(results: readonly CaseResult[]): string {
  return markdownTable(head, results.map(row))
}

function row({ name, params, outcomes: { rookery, reference } }: CaseResult): string[] {
  const [ours, theirs] = [figures(rookery), figures(reference)]
  return [
    `${name} ${paramText(params)}`.trim(),
    ...[ours.opsPerSec, theirs.opsPerSec, ours.opsPerSec / theirs.opsPerSec].map(text),
    ...[ours.cpuMsPerOp, theirs.cpuMsPerOp, theirs.cpuMsPerOp / ours.cpuMsPerOp].map(text),
    ...[ours, theirs].map(({ p50Ms, p99Ms }) =>
      Number.isFinite(p50Ms) ? `${text(p50Ms)} / ${text(p99Ms)}` : '',
    ),
  ]
}

function figures(outcome: Outcome | undefined) {
  if (outcome !== undefined && 'measurement' in outcome) return outcome.measurement
  return { opsPerSec: Number.NaN, cpuMsPerOp: Number.NaN, p50Ms: Number.NaN, p99Ms: Number.NaN }
}

function text(value: number): string {
  if (!Number.isFinite(value)) return ''
  return Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en-US') : String(significant(value, 3))
}
