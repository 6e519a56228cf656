/** How the cost of operations and the space on disk grow with the number of accounts. Rookery only. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { roundRobin } from './cases/bench-case.ts'
import { measureLoad } from './closed-loop.ts'
import { Fixtures, recordPath } from './fixtures/fixtures.ts'
import { createRecord } from './fixtures/records.ts'
import { markdownTable } from './report/table.ts'
import { type Measurement, significant } from './statistics.ts'
import { databaseBytes, tableBytes } from './systems/database-size.ts'
import type { Rookery } from './systems/rookery.ts'

/** Connections of the load. */
const concurrency = 16

/** What holds events. */
const eventTables = new Set(['event_log', 'event_queue'])

type Step = {
  accounts: number
  bytesPerAccount: number
  bytesPerRecord: number
  bytesPerEvent: number
  createRecord: Measurement
  getRecord: Measurement
}

/** How to measure growth. */
export type GrowthOptions = {
  rookery: Rookery
  /** Numbers of accounts at which to measure. */
  steps: readonly number[]
  windowMs: number
  resultsDir: string
  say: (text: string) => void
}

/** Measures at every step, prints a table and keeps it in `resultsDir`. */
export async function measureGrowth(options: GrowthOptions): Promise<void> {
  const { rookery, resultsDir, say } = options
  const fixtures = new Fixtures(rookery, say)
  const steps: Step[] = []
  let known = 0
  for (const accounts of [...options.steps].sort((a, b) => a - b)) {
    const before = await databaseBytes(rookery.databaseUrl)
    await fixtures.accounts(accounts)
    const bytesPerAccount = ((await databaseBytes(rookery.databaseUrl)) - before) / (accounts - known)
    known = accounts
    steps.push({ accounts, bytesPerAccount, ...(await measureStep(options, fixtures, accounts)) })
    say(`measured at ${accounts} accounts`)
  }
  const tables = `${growthTable(steps)}\n\n${sizeTable(await tableBytes(rookery.databaseUrl))}\n`
  mkdirSync(resultsDir, { recursive: true })
  writeFileSync(join(resultsDir, 'growth.md'), tables)
  process.stdout.write(tables)
}

async function measureStep(
  { rookery, windowMs }: GrowthOptions,
  fixtures: Fixtures,
  accounts: number,
): Promise<Omit<Step, 'accounts' | 'bytesPerAccount'>> {
  const extent = { warmUpMs: 1_000, windowMs }
  const load = { system: rookery, concurrency, extent }
  const account = roundRobin(await fixtures.accounts(accounts))
  const record = roundRobin(await fixtures.records(Math.min(accounts, 10_000)))
  const before = await tableBytes(rookery.databaseUrl)
  const numberBefore = fixtures.used()
  const created = await measureLoad({
    ...load,
    next: () => ({ request: createRecord(account(), fixtures.number()) }),
  })
  const written = fixtures.used() - numberBefore
  const after = await tableBytes(rookery.databaseUrl)
  const read = await measureLoad({
    ...load,
    next: () => ({ request: { method: 'GET', path: recordPath(record()) } }),
  })
  const grown = Object.keys(after).map((name) => ({ name, bytes: (after[name] ?? 0) - (before[name] ?? 0) }))
  const perWrite = (isCounted: (name: string) => boolean) =>
    grown.filter(({ name }) => isCounted(name)).reduce((sum, { bytes }) => sum + bytes, 0) / written
  return {
    bytesPerRecord: perWrite((name) => !eventTables.has(name)),
    bytesPerEvent: perWrite((name) => eventTables.has(name)),
    createRecord: created,
    getRecord: read,
  }
}

function growthTable(steps: readonly Step[]): string {
  const head = [
    'accounts',
    'bytes per account',
    'bytes per record',
    'bytes per event',
    'createRecord/s',
    'CPU-ms',
    'p99 ms',
    'getRecord/s',
    'CPU-ms',
    'p99 ms',
  ]
  const rows = steps.map((step) =>
    [
      step.accounts,
      step.bytesPerAccount,
      step.bytesPerRecord,
      step.bytesPerEvent,
      ...[step.createRecord, step.getRecord].flatMap((each) => [each.opsPerSec, each.cpuMsPerOp, each.p99Ms]),
    ].map((value) => String(value >= 1_000 ? Math.round(value) : significant(value, 3))),
  )
  return markdownTable(head, rows)
}

function sizeTable(tables: Record<string, number>): string {
  const rows = Object.entries(tables).map(([name, bytes]) => [name, (bytes / 1e6).toFixed(1)])
  return markdownTable(['table with indexes', 'MB'], rows)
}
