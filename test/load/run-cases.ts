/** Runs the cases on all systems in alternating rounds, so that what the machine does meanwhile meets both. */
import { BenchError } from './bench-error.ts'
import type { BenchCase, CaseContext, CaseParams, Timing } from './cases/bench-case.ts'
import type { CaseGroup } from './cases/cases.ts'
import { noObserver } from './observer.ts'
import { type Measurement, significant, summarise } from './statistics.ts'
import type { SystemName } from './systems/system.ts'

/** What a case gave on one system: figures, or why there are none. */
export type Outcome = { measurement: Measurement } | { error: string }

/** All outcomes of one case. */
export type CaseResult = {
  name: string
  params: CaseParams
  outcomes: Partial<Record<SystemName, Outcome>>
}

/** A system, with everything that cases need. */
export type Bench = Omit<CaseContext, 'timing' | 'observer'> & {
  /** Starts it with another number of api processes; the reference has only one process. */
  resize(apiCount: number): Promise<void>
  /** Profiles a case in windows of its own; absent where that was not asked for. */
  profile?: (each: BenchCase, context: CaseContext, title: string) => Promise<void>
}

/** How long to measure in all rounds. */
type RunTiming = Omit<Timing, 'warmUpMs' | 'isFirstRound'> & {
  /** Before the first case on new processes, before the first round of another case, and before later rounds. */
  warmUpMs: { fresh: number; first: number; later: number }
}

/** How to run. */
export type RunOptions = {
  groups: readonly CaseGroup[]
  benches: readonly Bench[]
  rounds: number
  timing: RunTiming
  /** Aborts between two windows. */
  signal: AbortSignal
  /** Told of each case that is done. */
  onResult: (result: CaseResult) => void
  say: (text: string) => void
}

/** Runs all cases; a case that fails on one system ends there and is told of, the others go on. */
export async function runCases(options: RunOptions): Promise<void> {
  let apiCount = options.groups[0]?.apiCount
  for (const group of options.groups) {
    if (group.apiCount !== apiCount) {
      apiCount = group.apiCount
      for (const bench of options.benches) await bench.resize(apiCount)
    }
    const { timing } = options
    const { fresh, later } = timing.warmUpMs
    const onNew = { ...options, timing: { ...timing, warmUpMs: { fresh, first: fresh, later } } }
    for (const [n, each] of group.cases.entries()) {
      options.onResult(await runCase(each, n === 0 ? onNew : options))
    }
  }
}

async function runCase(each: BenchCase, options: RunOptions): Promise<CaseResult> {
  const windows = new Map<SystemName, Measurement[]>()
  const errors = new Map<SystemName, string>()
  for (const { fixtures } of options.benches) await fixtures.renewTokens()
  const { isQuick } = options.timing
  const rounds = Math.min(options.rounds, (isQuick ? each.quickRounds : undefined) ?? options.rounds)
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? options.benches : options.benches.toReversed()
    for (const bench of order) {
      const { name } = bench.system
      if (errors.has(name)) continue
      options.signal.throwIfAborted()
      const outcome = await runWindow(each, { ...bench, ...windowContext(options, round) }, options.say)
      if ('error' in outcome) errors.set(name, outcome.error)
      else windows.set(name, [...(windows.get(name) ?? []), outcome.measurement])
    }
  }
  for (const bench of options.benches) {
    if (!errors.has(bench.system.name)) await profileCase(each, bench, options)
  }
  const outcomes: CaseResult['outcomes'] = {}
  for (const [name, measured] of windows) outcomes[name] = { measurement: summarise(measured) }
  for (const [name, error] of errors) outcomes[name] = { error }
  return { name: each.name, params: each.params, outcomes }
}

function windowContext({ timing }: RunOptions, round: number): Pick<CaseContext, 'timing' | 'observer'> {
  const isFirstRound = round === 0
  const warmUpMs = isFirstRound ? timing.warmUpMs.first : timing.warmUpMs.later
  return { timing: { ...timing, isFirstRound, warmUpMs }, observer: noObserver }
}

async function runWindow(
  each: BenchCase,
  context: CaseContext,
  say: (text: string) => void,
): Promise<Outcome> {
  const title = `${each.name} ${paramText(each.params)} ${context.system.name}`
  try {
    const measurement = await each.measure(context)
    const { opsPerSec, cpuMsPerOp } = measurement
    say(`${title}: ${significant(opsPerSec, 3)}/s, ${significant(cpuMsPerOp, 3)} CPU-ms`)
    return { measurement }
  } catch (error) {
    const reason = failureOf(error)
    say(`${title}: failed: ${reason}`)
    return { error: reason }
  }
}

async function profileCase(each: BenchCase, bench: Bench, options: RunOptions): Promise<void> {
  const title = `${each.name} ${paramText(each.params)}`
  try {
    await bench.profile?.(each, { ...bench, ...windowContext(options, options.rounds) }, title)
  } catch (error) {
    options.say(`${title} could not be profiled: ${failureOf(error)}`)
  }
}

/** A connection that breaks and an answer that is no success end the case; a mistake of ours ends the run. */
function failureOf(error: unknown): string {
  if (error instanceof BenchError || (error instanceof Error && 'code' in error)) return error.message
  throw error
}

/** The parameters as short text. */
export function paramText(params: CaseParams): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}
