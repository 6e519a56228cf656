import { type Extent, type Operation, measureLoad } from '../closed-loop.ts'
import type { Subscribers } from '../firehose/subscribers.ts'
import type { Fixtures } from '../fixtures/fixtures.ts'
import type { WindowObserver } from '../observer.ts'
import type { Measurement } from '../statistics.ts'
import type { System } from '../systems/system.ts'

/** What distinguishes the variants of a case; part of the published results. */
export type CaseParams = Record<string, string | number>

/** How long to measure. */
export type Timing = {
  /** Longer in the first round of a case, whose code the processes have yet to compile. */
  warmUpMs: number
  isFirstRound: boolean
  windowMs: number
  isQuick: boolean
}

/** What a case works with. */
export type CaseContext = {
  system: System
  fixtures: Fixtures
  subscribers: Subscribers
  timing: Timing
  /** Told of the measured part of the case. */
  observer: WindowObserver
}

/** One thing that is measured, on either system. */
export type BenchCase = {
  name: string
  params: CaseParams
  /** Whether it is part of `--quick`. */
  isQuick: boolean
  /** Rounds with `--quick`, for a case that takes long. */
  quickRounds?: number
  /** Measures one window. What it needs it takes from the fixtures, or prepares before it starts to measure. */
  measure: (context: CaseContext) => Promise<Measurement>
}

/** A case that sends one kind of request from several connections. */
export type HttpCase = {
  name: string
  params: CaseParams & { concurrency: number }
  isQuick?: boolean
  /** Measure that many operations instead of a window: for operations that take a second or more. */
  operations?: number
  /** Gets ready for one window; returns what each connection does next. */
  prepare: (context: CaseContext) => Promise<(connection: number) => Operation>
}

/** Makes a case of it. */
export function httpCase(options: HttpCase): BenchCase {
  const { name, params, operations, prepare } = options
  return {
    name,
    params,
    isQuick: options.isQuick ?? false,
    measure: async (context) => {
      const next = await prepare(context)
      const { warmUpMs, windowMs } = context.timing
      const extent: Extent = operations === undefined ? { warmUpMs, windowMs } : { operations }
      const { system, observer } = context
      return measureLoad({ system, concurrency: params.concurrency, extent, next, observer })
    },
  }
}

/** Hands out the items one after the other, over and over. */
export function roundRobin<T>(items: readonly T[]): () => T {
  let n = 0
  return () => items[n++ % items.length] as T
}

/** Hands out accounts the same way, each with the number of its session: see `Operation`. */
export function sessions<T>(items: readonly T[]): () => { item: T; session: number } {
  return roundRobin(items.map((item, session) => ({ item, session })))
}
