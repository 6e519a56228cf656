/**
 * Profiles cases on Rookery in extra windows that are not part of the results: one records the CPU time of every
 * Node.js process and what each SQL statement used, the next one writes plans.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { BenchCase, CaseContext } from '../cases/bench-case.ts'
import { Meter } from '../closed-loop.ts'
import type { WindowObserver } from '../observer.ts'
import type { Rookery } from '../systems/rookery.ts'
import type { CpuProfile } from './cpu-profile.ts'
import { type CpuRecording, openInspector, recordCpu } from './inspector.ts'
import { profileReport } from './profile-report.ts'
import { type ExplainedQuery, explainStatements } from './query-plans.ts'
import { type StatementUse, resetStatements, statementUses } from './statements.ts'

/** Roles that run under Node.js. */
const nodeRoles = new Set(['api', 'firehose', 'sequencer', 'worker'])

/** A window with plans is no longer than that, in milliseconds, and explains about so many statements. */
const plansWindowMs = 1_500
const explainedMax = 300

/** One recorded process. */
type RoleProfile = { role: string; pid: number; profile: CpuProfile }

/** What one window used. */
export type WindowProfile = {
  operations: number
  /** From /proc, for comparison: profiles know only the main thread. */
  cpuMsPerOpByRole: Record<string, number>
  processes: RoleProfile[]
  statements: StatementUse[]
}

/** See the header of this module. */
export class Profiler {
  readonly #rookery: Rookery
  readonly #dir: string
  readonly #inspectors = new Map<number, string>()

  /** @param dir one folder for each case is made in it, in place of an older one. */
  constructor(rookery: Rookery, dir: string) {
    this.#rookery = rookery
    this.#dir = dir
  }

  /** Profiles one case, keeps everything in files named after `title` and returns the report. */
  async profile(each: BenchCase, context: CaseContext, title: string): Promise<string> {
    const recorder = new Recorder(this.#rookery, (pid) => this.#inspector(pid))
    await each.measure({ ...context, observer: recorder })
    const window = recorder.window()
    const explainer = new Explainer(this.#rookery, window)
    const timing = { ...context.timing, windowMs: Math.min(plansWindowMs, context.timing.windowMs) }
    await each.measure({ ...context, timing, observer: explainer })
    const report = profileReport(title, window, explainer.queries)
    const dir = join(this.#dir, title.replaceAll(' ', ','))
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir, { recursive: true })
    writeFileSync(join(dir, 'report.md'), report)
    writeFileSync(join(dir, 'statements.json'), JSON.stringify(window.statements, null, 2))
    for (const { role, pid, profile } of window.processes) {
      writeFileSync(join(dir, `${role}-${pid}.cpuprofile`), JSON.stringify(profile))
    }
    return report
  }

  async #inspector(pid: number): Promise<string> {
    const address = this.#inspectors.get(pid) ?? (await openInspector(pid))
    this.#inspectors.set(pid, address)
    return address
  }
}

/** Records CPU time and statements of one window. */
class Recorder implements WindowObserver {
  readonly #rookery: Rookery
  readonly #inspector: (pid: number) => Promise<string>
  #recordings: { role: string; pid: number; recording: CpuRecording }[] = []
  #meter: Meter | undefined
  #window: WindowProfile | undefined

  constructor(rookery: Rookery, inspector: (pid: number) => Promise<string>) {
    this.#rookery = rookery
    this.#inspector = inspector
  }

  async begin(): Promise<void> {
    const processes = this.#rookery.processes().filter(({ role }) => nodeRoles.has(role))
    this.#recordings = await Promise.all(
      processes.map(async ({ role, pid }) => {
        const recording = await recordCpu(await this.#inspector(pid))
        return { role, pid, recording }
      }),
    )
    await resetStatements(this.#rookery.databaseUrl)
    this.#meter = new Meter(this.#rookery)
  }

  async end(operations: number): Promise<void> {
    const cost = this.#meter?.stop(operations)
    const statements = await statementUses(this.#rookery.databaseUrl)
    const processes = await Promise.all(
      this.#recordings.map(async ({ role, pid, recording }) => {
        const profile = await recording.stop()
        return { role, pid, profile }
      }),
    )
    const cpuMsPerOpByRole = cost?.perOperation.cpuMsPerOpByRole ?? {}
    this.#window = { operations, cpuMsPerOpByRole, processes, statements }
  }

  window(): WindowProfile {
    return this.#window ?? { operations: 0, cpuMsPerOpByRole: {}, processes: [], statements: [] }
  }
}

/** Collects plans during one window. */
class Explainer implements WindowObserver {
  readonly #rookery: Rookery
  readonly #sampleRate: number
  #explaining: { stop(): Promise<ExplainedQuery[]> } | undefined
  queries: ExplainedQuery[] = []

  constructor(rookery: Rookery, { statements }: WindowProfile) {
    this.#rookery = rookery
    const calls = statements.reduce((sum, each) => sum + (each.toplevel ? each.calls : 0), 0)
    this.#sampleRate = Math.min(1, explainedMax / Math.max(1, calls))
  }

  async begin(): Promise<void> {
    const { databaseUrl, postgresLog } = this.#rookery
    this.#explaining = await explainStatements({
      databaseUrl,
      logFile: postgresLog,
      sampleRate: this.#sampleRate,
    })
  }

  async end(): Promise<void> {
    this.queries = (await this.#explaining?.stop()) ?? []
  }
}
