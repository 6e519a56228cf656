/**
 * The load: `concurrency` connections, each of which sends its next request when the last is answered. After a
 * warm-up comes a window; what is answered within it counts, and the CPU time that all processes use within it is
 * divided by that number. Requests that cross an edge of the window are as many at one edge as at the other.
 */
import { must } from '@rookery/std'

import { BenchError } from './bench-error.ts'
import { Connection, type Request, type Response, type Server, bodyBytes } from './http/connection.ts'
import { failureText } from './http/load-balance.ts'
import { type WindowObserver, noObserver } from './observer.ts'
import { cpuMsByRole } from './process-stats.ts'
import { type Measurement, percentile } from './statistics.ts'
import type { System } from './systems/system.ts'

/** One operation of the load. */
export type Operation = {
  request: Request
  /** Whose request it is: all of a session go to the same server. Without it, to that of the connection. */
  session?: number
  /** Is given the answer of a success, for the requests that follow from it. */
  accept?: (response: Response) => void
}

/** How long to measure: a window of time, or a number of operations when each takes long. */
export type Extent = { warmUpMs: number; windowMs: number } | { operations: number }

/** What to do. */
export type Load = {
  system: System
  concurrency: number
  extent: Extent
  /** The next operation of one of the connections. */
  next: (connection: number) => Operation
  /** Default: nobody. */
  observer?: WindowObserver
}

/** A window of slow operations ends here whatever has come, in milliseconds. */
const windowMsMax = 20_000

/** Failures, as a share of all operations, past which figures mean nothing. */
const failureShareMax = 0.01

/**
 * Runs a load and measures it.
 *
 * @throws {BenchError} if more than one operation in a hundred fails.
 */
export async function measureLoad(load: Load): Promise<Measurement> {
  const run = new LoadRun(load)
  try {
    return await run.measure()
  } finally {
    run[Symbol.dispose]()
  }
}

class LoadRun implements Disposable {
  readonly #load: Load
  /** Per lane, its connections to the servers that it has used. */
  readonly #pool: Map<number, Connection>[]
  readonly #servers: readonly Server[]
  readonly #latencies: number[] = []
  #bytes = 0
  #failures = 0
  #firstFailure = ''
  #started = 0
  #isCounting = false
  #isStopping = false

  constructor(load: Load) {
    this.#load = load
    this.#pool = Array.from({ length: load.concurrency }, () => new Map())
    this.#servers = load.system.servers()
  }

  async measure(): Promise<Measurement> {
    const { extent } = this.#load
    return 'windowMs' in extent ? this.#measureTime(extent) : this.#measureAll()
  }

  async #measureTime(extent: { warmUpMs: number; windowMs: number }): Promise<Measurement> {
    const { system, observer = noObserver } = this.#load
    const lanes = this.#start()
    await Promise.race([delay(extent.warmUpMs), lanes])
    await observer.begin()
    const meter = new Meter(system)
    this.#isCounting = true
    await Promise.race([this.#untilEnough(extent.windowMs), lanes])
    const cost = meter.stop(this.#latencies.length)
    this.#isCounting = false
    await observer.end(this.#latencies.length)
    this.#isStopping = true
    await lanes
    return this.#measurement(cost)
  }

  async #measureAll(): Promise<Measurement> {
    const { system, observer = noObserver } = this.#load
    await observer.begin()
    this.#isCounting = true
    const meter = new Meter(system)
    await this.#start()
    const cost = meter.stop(this.#latencies.length)
    await observer.end(this.#latencies.length)
    return this.#measurement(cost)
  }

  #start(): Promise<unknown> {
    return Promise.all(this.#pool.map((_, n) => this.#lane(n)))
  }

  [Symbol.dispose](): void {
    this.#isStopping = true
    for (const connection of this.#pool.flatMap((lane) => [...lane.values()])) connection[Symbol.dispose]()
  }

  /** Waits for the end of the window, or longer until every connection has had about one answer. */
  async #untilEnough(windowMs: number): Promise<void> {
    const startMs = performance.now()
    await delay(windowMs)
    while (this.#latencies.length < this.#load.concurrency && performance.now() - startMs < windowMsMax) {
      await delay(10)
    }
  }

  async #lane(n: number): Promise<void> {
    const { extent, next } = this.#load
    const operationsMax = 'operations' in extent ? extent.operations : Number.POSITIVE_INFINITY
    while (!this.#isStopping && this.#started < operationsMax) {
      this.#started++
      const { request, accept, session } = next(n)
      const connection = this.#connection(n, session ?? n)
      const startMs = performance.now()
      const response = await connection.send(request, 8 * 1024)
      if (response.status >= 300) this.#fail(request, response)
      else {
        accept?.(response)
        if (!this.#isCounting) continue
        this.#latencies.push(performance.now() - startMs)
        this.#bytes += response.bytes + bodyBytes(request)
      }
    }
  }

  #connection(lane: number, turn: number): Connection {
    const pool = must(this.#pool[lane])
    const n = turn % this.#servers.length
    const kept = pool.get(n)
    if (kept !== undefined) return kept
    const connection = new Connection(must(this.#servers[n], 'the system has servers that answer requests'))
    pool.set(n, connection)
    return connection
  }

  #fail(request: Request, response: Response): void {
    this.#failures++
    this.#firstFailure ||= failureText(request, response)
    const tolerated = Math.max(1, failureShareMax * this.#started)
    if (this.#failures > tolerated + this.#load.concurrency) throw new BenchError(this.#firstFailure)
  }

  #measurement(cost: Cost): Measurement {
    if (this.#latencies.length === 0)
      throw new BenchError(this.#firstFailure || 'nothing was answered in time')
    const sorted = this.#latencies.sort((a, b) => a - b)
    return {
      opsPerSec: sorted.length / (cost.elapsedMs / 1_000),
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      ...cost.perOperation,
      bytesPerSec: this.#bytes / (cost.elapsedMs / 1_000),
      failures: this.#failures,
      notes: {},
    }
  }
}

/** What a span of time has cost. */
export type Cost = {
  elapsedMs: number
  /** CPU milliseconds of the system under test, in total. */
  cpuMs: number
  perOperation: Pick<Measurement, 'cpuMsPerOp' | 'clientCpuMsPerOp' | 'cpuMsPerOpByRole'>
}

/** Measures the CPU time of a system, of those beside it and of this process from its creation on. */
export class Meter {
  readonly #system: System
  readonly #startMs = performance.now()
  readonly #client = process.cpuUsage()
  readonly #own: Record<string, number>
  readonly #beside: Record<string, number>

  constructor(system: System) {
    this.#system = system
    this.#own = cpuMsByRole(system.processes())
    this.#beside = cpuMsByRole(system.bystanders())
  }

  /** The cost until now; each operation's share of it. */
  stop(operations: number): Cost {
    const elapsedMs = performance.now() - this.#startMs
    const own = difference(this.#own, cpuMsByRole(this.#system.processes()))
    const beside = difference(this.#beside, cpuMsByRole(this.#system.bystanders()))
    const client = process.cpuUsage(this.#client)
    const cpuMs = Object.values(own).reduce((sum, value) => sum + value, 0)
    const share = (value: number) => value / operations
    const byRole = Object.entries({ ...own, ...beside }).map(([role, value]) => [role, share(value)] as const)
    return {
      elapsedMs,
      cpuMs,
      perOperation: {
        cpuMsPerOp: share(cpuMs),
        clientCpuMsPerOp: share((client.user + client.system) / 1_000),
        cpuMsPerOpByRole: Object.fromEntries(byRole),
      },
    }
  }
}

function difference(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  // A process that was replaced meanwhile begins at nothing.
  return Object.fromEntries(
    Object.entries(after).map(([role, value]) => [role, Math.max(0, value - (before[role] ?? 0))]),
  )
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
