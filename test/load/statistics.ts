/** The value below which the given share (0 to 1) of the sorted values lies; NaN when there are none. */
export function percentile(sorted: readonly number[], share: number): number {
  const index = Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)
  return sorted[Math.max(0, index)] ?? Number.NaN
}

/** The middle value, or the mean of the two middle ones; NaN when there are none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? Number.NaN
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

/** One window of one case on one system. Fields that do not apply are absent. */
export type Measurement = {
  opsPerSec: number
  cpuMsPerOp: number
  p50Ms: number
  p99Ms: number
  /** CPU of the load generator per operation. */
  clientCpuMsPerOp: number
  bytesPerSec?: number
  /** CPU milliseconds per operation of each role, also of those that are not part of the sum. */
  cpuMsPerOpByRole: Record<string, number>
  /** Answers other than success. */
  failures: number
  /** What else the case found, with its unit in the name. */
  notes: Record<string, number>
}

/** Joins the windows of all rounds: the median of each figure, the sum of the failures. */
export function summarise(windows: readonly Measurement[]): Measurement {
  const middle = (of: (window: Measurement) => number | undefined) =>
    median(windows.flatMap((window) => of(window) ?? []))
  const middles = (of: (window: Measurement) => Record<string, number>) => {
    const names = new Set(windows.flatMap((window) => Object.keys(of(window))))
    return Object.fromEntries([...names].map((name) => [name, middle((window) => of(window)[name])]))
  }
  const bytesPerSec = middle((window) => window.bytesPerSec)
  return {
    opsPerSec: middle((window) => window.opsPerSec),
    cpuMsPerOp: middle((window) => window.cpuMsPerOp),
    p50Ms: middle((window) => window.p50Ms),
    p99Ms: middle((window) => window.p99Ms),
    clientCpuMsPerOp: middle((window) => window.clientCpuMsPerOp),
    ...(Number.isNaN(bytesPerSec) ? {} : { bytesPerSec }),
    cpuMsPerOpByRole: middles((window) => window.cpuMsPerOpByRole),
    failures: windows.reduce((sum, window) => sum + window.failures, 0),
    notes: middles((window) => window.notes),
  }
}

/** Rounds to a few significant digits, so that no figure pretends to be exact. */
export function significant(value: number, digits = 4): number {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : value
}
