import type { CaseResult, Outcome } from '../run-cases.ts'
import { significant } from '../statistics.ts'
import type { Machine } from './machine.ts'

/** Figures of one case on one system; a figure is null where it has no meaning. */
type JsonFigures = {
  opsPerSec: number | null
  cpuMsPerOp: number | null
  p50Ms: number | null
  p99Ms: number | null
}

/** What `--json` prints. A system that was not measured, or failed, is null. */
export type JsonReport = {
  machine: Machine
  cases: {
    name: string
    params: Record<string, string | number>
    rookery: JsonFigures | null
    reference: JsonFigures | null
  }[]
}

/** The results in their published form. */
export function jsonReport(machine: Machine, results: readonly CaseResult[]): JsonReport {
  return {
    machine,
    cases: results.map(({ name, params, outcomes }) => ({
      name,
      params,
      rookery: figures(outcomes.rookery),
      reference: figures(outcomes.reference),
    })),
  }
}

function figures(outcome: Outcome | undefined): JsonFigures | null {
  if (outcome === undefined || 'error' in outcome) return null
  const { opsPerSec, cpuMsPerOp, p50Ms, p99Ms } = outcome.measurement
  return {
    opsPerSec: rounded(opsPerSec),
    cpuMsPerOp: rounded(cpuMsPerOp),
    p50Ms: rounded(p50Ms),
    p99Ms: rounded(p99Ms),
  }
}

function rounded(value: number): number | null {
  return Number.isFinite(value) ? significant(value) : null
}
