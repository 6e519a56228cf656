/** The flags of `npm run bench`. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

import { BenchError } from './bench-error.ts'
import { caseNames } from './cases/cases.ts'
import type { SystemName } from './systems/system.ts'

/** What the benchmark was asked for. */
export type BenchOptions = {
  help: boolean
  list: boolean
  only: string[]
  isQuick: boolean
  isJson: boolean
  systems: SystemName[]
  rounds: number
  windowMs: number
  /** Processes that answer requests, where a case does not ask for another number. */
  apiCount: number
  throughBalancer: boolean
  /** Numbers of accounts at which the growth of cost and storage is measured; empty for none. */
  growth: number[]
  /** Writes per second whose hour is written; 0 for none. */
  hourlyRate: number
  /** Whether to profile every case on Rookery after its rounds. */
  isProfiled: boolean
  updateReference: boolean
}

/** The text of `--help`. */
export const helpText = `npm run bench -- [flags]

Starts Rookery's stack and the reference PDS on this machine, drives both with the same load in alternating rounds, and
prints what each operation costs. The first run installs the reference from npm and builds its SQLite module.

  --only NAME         only this case; repeatable, or several with commas (--list tells the names)
  --quick             the main variant of each case, two short rounds: under three minutes
  --json              print the results as JSON on standard output; the table goes to standard error
  --systems LIST      rookery, reference or both (default: rookery,reference)
  --rounds N          rounds per case (default: 3, with --quick 2)
  --window-ms N       length of a window (default: 2000, with --quick 1000)
  --api N             api processes, where a case does not ask for a number of its own (default: 1 per two cores)
  --balancer          send requests through the local load balancer; its CPU time is shown, not counted
  --profile           afterwards profile each case on Rookery: CPU time by function, SQL statements and plans
  --growth LIST       instead: cost and storage at these numbers of accounts, e.g. 1000,10000,100000, and by the size of
                      a repo; the reference at the first number only
  --hour N            instead, or after --growth: an hour of N writes per second, as fast as it goes, and what it leaves
  --update-reference  install the newest reference PDS again
  --list              list the cases
  --help              show this

Results, the plot and the logs are kept in .local/bench/results.
`

/** @throws {BenchError} if a flag is unknown or its value is unusable. */
export function parseFlags(args: readonly string[]): BenchOptions {
  const values = parse(args)
  const isQuick = values.quick
  return {
    help: values.help,
    list: values.list,
    only: parseNames(values.only),
    isQuick,
    isJson: values.json,
    systems: parseSystems(values.systems),
    rounds: parseNumber('rounds', values.rounds ?? (isQuick ? '2' : '3'), { min: 1, max: 100 }),
    windowMs: parseNumber('window-ms', values['window-ms'] ?? (isQuick ? '1000' : '2000'), {
      min: 100,
      max: 600_000,
    }),
    apiCount: parseNumber('api', values.api ?? String(apiCountDefault()), { min: 1, max: 64 }),
    throughBalancer: values.balancer,
    growth: (values.growth?.split(',') ?? []).map((text) =>
      parseNumber('growth', text, { min: 100, max: 1_000_000 }),
    ),
    hourlyRate: parseNumber('hour', values.hour ?? '0', { min: 0, max: 1_000 }),
    isProfiled: values.profile,
    updateReference: values['update-reference'],
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        systems: { type: 'string', default: 'rookery,reference' },
        rounds: { type: 'string' },
        'window-ms': { type: 'string' },
        api: { type: 'string' },
        balancer: { type: 'boolean', default: false },
        profile: { type: 'boolean', default: false },
        growth: { type: 'string' },
        hour: { type: 'string' },
        'update-reference': { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new BenchError(`${reason} (npm run bench -- --help lists every flag)`, { cause: error })
  }
}

/** The other half of the cores is for PostgreSQL, Redis, the other roles and the load itself. */
function apiCountDefault(): number {
  return Math.max(1, Math.floor(availableParallelism() / 2))
}

function parseNames(given: readonly string[]): string[] {
  const names = given.flatMap((text) => text.split(','))
  const unknown = names.find((name) => !caseNames().includes(name))
  if (unknown === undefined) return names
  throw new BenchError(`--only ${unknown}: expected one of ${caseNames().join(', ')}`)
}

function parseSystems(text: string): SystemName[] {
  const names = text.split(',')
  const unknown = names.find((name) => name !== 'rookery' && name !== 'reference')
  if (unknown === undefined) return names as SystemName[]
  throw new BenchError(`--systems ${unknown}: expected rookery, reference or both with a comma`)
}

function parseNumber(name: string, text: string, range: { min: number; max: number }): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= range.min && value <= range.max) return value
  throw new BenchError(`--${name} ${text}: expected a number from ${range.min} to ${range.max}`)
}
