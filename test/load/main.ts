/** `npm run bench`: see docs/performance.md. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { SetUpError } from '@rookery/local'

import { BenchError } from './bench-error.ts'
import { chooseCases, caseGroups } from './cases/cases.ts'
import { Subscribers } from './firehose/subscribers.ts'
import { Fixtures } from './fixtures/fixtures.ts'
import { type BenchOptions, helpText, parseFlags } from './flags.ts'
import { measureGrowth } from './growth/growth.ts'
import { type IdleUse, idleUse } from './idle-use.ts'
import { requireProcessStats } from './process-stats.ts'
import { Profiler } from './profile/profiler.ts'
import { describeMachine } from './report/machine.ts'
import { publish } from './report/publish.ts'
import { type Bench, type CaseResult, paramText, runCases } from './run-cases.ts'
import { type ReferenceInstall, installReference } from '../support/reference/install-reference.ts'
import { startReference } from './systems/reference.ts'
import { startRookery } from './systems/rookery.ts'

const benchDir = resolve(import.meta.dirname, '../../.local/bench')
const resultsDir = join(benchDir, 'results')

/**
 * Before each window, in milliseconds: processes compile what a case needs before its first. New ones take long: of
 * the first twenty seconds of load, a sixth of an api process's time is V8's optimising compiler, and still an eighth
 * after forty.
 */
const warmUpMs = {
  quick: { fresh: 3_000, first: 800, later: 200 },
  full: { fresh: 40_000, first: 3_000, later: 1_500 },
}

function say(text: string): void {
  process.stderr.write(`[bench ${process.uptime().toFixed(0).padStart(4)} s] ${text}\n`)
}

/** Runs what was asked for; false when a case failed. */
async function bench(options: BenchOptions, signal: AbortSignal): Promise<boolean> {
  requireProcessStats()
  mkdirSync(benchDir, { recursive: true })
  const dir = mkdtempSync(join(benchDir, 'run-'))
  await using running = new AsyncDisposableStack()
  running.defer(() => rmSync(dir, { recursive: true, force: true }))
  if (options.growth.length > 0 || options.hourlyRate > 0) {
    await Promise.race([growth(running, dir, options), aborted(signal)])
    return true
  }
  const groups = chooseCases(options)
  if (groups.length === 0) throw new BenchError('no case is left to run: --quick has only the main cases')
  const install = options.systems.includes('reference')
    ? installReference({ parentDir: benchDir, update: options.updateReference, say })
    : undefined
  const subscribers = running.use(await Subscribers.start())
  const apiCount = groups[0]?.apiCount ?? options.apiCount
  const benches = await startSystems(running, { options, dir, install, apiCount, subscribers })
  const startedMs = performance.now()
  const { rounds, isQuick, windowMs } = options
  const timing = { warmUpMs: isQuick ? warmUpMs.quick : warmUpMs.full, windowMs, isQuick }
  const results: CaseResult[] = []
  let idle: IdleUse[] = []
  const onResult = (result: CaseResult) => results.push(result)
  try {
    const cases = runCases({ groups, benches, rounds, timing, signal, onResult, say })
    await Promise.race([cases, aborted(signal)])
    say('measuring what idle systems use')
    idle = await idleUse(benches.map(({ system }) => system))
  } finally {
    // What was measured before a run was stopped or failed is worth keeping.
    const machine = describeMachine(install?.version ?? null)
    if (results.length > 0) publish({ machine, results, idle, dir: resultsDir, isJson: options.isJson, say })
  }
  say(`measured in ${Math.round((performance.now() - startedMs) / 1_000)} s`)
  return results.every(({ outcomes }) => Object.values(outcomes).every((outcome) => 'measurement' in outcome))
}

async function growth(running: AsyncDisposableStack, dir: string, options: BenchOptions): Promise<void> {
  const { growth: steps, hourlyRate, windowMs, systems, apiCount, updateReference: update } = options
  const hasReference = steps.length > 0 && systems.includes('reference')
  const install = hasReference ? installReference({ parentDir: benchDir, update, say }) : undefined
  say("starting Rookery's stack")
  const rookery = running.use(
    await startRookery({ dir: join(dir, 'rookery'), apiCount, throughBalancer: false }),
  )
  const reference = install && running.use(await startReference({ install, dir: join(dir, 'reference') }))
  await measureGrowth({ rookery, reference, steps, hourlyRate, windowMs, resultsDir, say })
}

async function startSystems(
  running: AsyncDisposableStack,
  how: {
    options: BenchOptions
    dir: string
    install: ReferenceInstall | undefined
    apiCount: number
    subscribers: Subscribers
  },
): Promise<Bench[]> {
  const { options, dir, install, apiCount, subscribers } = how
  const benches: Bench[] = []
  if (options.systems.includes('rookery')) {
    say("starting Rookery's stack")
    const { throughBalancer, isProfiled } = options
    const system = running.use(
      await startRookery({ dir: join(dir, 'rookery'), apiCount, throughBalancer, isProfiled }),
    )
    benches.push({
      system,
      fixtures: new Fixtures(system, say),
      subscribers,
      resize: (count) => system.resize(count),
      ...(isProfiled && { profile: profileWith(new Profiler(system, join(resultsDir, 'profiles'))) }),
    })
  }
  if (install !== undefined) {
    say(`starting the reference PDS ${install.version}`)
    const system = running.use(await startReference({ install, dir: join(dir, 'reference') }))
    benches.push({
      system,
      fixtures: new Fixtures(system, say),
      subscribers,
      resize: () => Promise.resolve(),
    })
  }
  return benches
}

function profileWith(profiler: Profiler): NonNullable<Bench['profile']> {
  return async (...args) => {
    say(`profiling ${args[2]}`)
    process.stderr.write(`${await profiler.profile(...args)}\n`)
  }
}

/** Rejects when the signal is raised: what runs is left alone and ends with its processes. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as BenchError))
  })
}

function listCases(): string {
  const lines = caseGroups(1).flatMap(({ cases }) =>
    cases.map(({ name, params, isQuick }) => `${isQuick ? 'quick' : '     '}  ${name} ${paramText(params)}`),
  )
  return `${lines.join('\n')}\n`
}

const stop = new AbortController()
for (const event of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const) {
  process.once(event, () => stop.abort(new BenchError('stopped')))
}
try {
  const options = parseFlags(process.argv.slice(2))
  if (options.help) process.stdout.write(helpText)
  else if (options.list) process.stdout.write(listCases())
  else if (!(await bench(options, stop.signal))) process.exitCode = 1
} catch (error) {
  if (!(error instanceof BenchError || error instanceof SetUpError)) throw error
  say(error.message)
  process.exitCode = 1
}
process.channel?.unref()
