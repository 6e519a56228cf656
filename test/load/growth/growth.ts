/**
 * How costs and sizes grow: with the number of accounts, with the size of a repo, and over an hour's worth of
 * writes. Beside Rookery the reference is measured at the smallest number of accounts only: it can have them only by
 * signing each up, which takes it half an hour for 100,000.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { Fixtures } from '../fixtures/fixtures.ts'
import { type IdleUse, idleUse } from '../idle-use.ts'
import { idleTable } from '../report/publish.ts'
import { type TableHealth, tableHealth } from '../systems/database-size.ts'
import type { Rookery } from '../systems/rookery.ts'
import type { System } from '../systems/system.ts'
import { type AccountStep, measureAccounts } from './account-growth.ts'
import { accountTable, healthTable, hourTable, repoTable, sizeTable } from './growth-report.ts'
import { growthPlot } from './growth-plot.ts'
import { type HourChunk, measureHour } from './hour.ts'
import { type RepoStep, measureRepos } from './repo-growth.ts'

/** How to measure growth. */
export type GrowthOptions = {
  rookery: Rookery
  reference: System | undefined
  /** Numbers of accounts at which to measure; none leaves out accounts and repos. */
  steps: readonly number[]
  /** Writes per second whose hour is written, as fast as it goes; 0 for none. */
  hourlyRate: number
  windowMs: number
  resultsDir: string
  say: (text: string) => void
}

/** What the parts of a measurement share. */
export type GrowthContext = {
  system: System
  fixtures: Fixtures
  windowMs: number
  say: (text: string) => void
}

/** What was found; parts that were not asked for, or not reached, are empty. */
type Found = {
  accounts: AccountStep[]
  repos: RepoStep[]
  chunks: HourChunk[]
  health: TableHealth[]
  idle: IdleUse[]
}

/** Measures all that was asked for, prints tables and keeps them, with a plot, in `resultsDir`. */
export async function measureGrowth(options: GrowthOptions): Promise<void> {
  const found: Found = { accounts: [], repos: [], chunks: [], health: [], idle: [] }
  try {
    await measureInto(found, options)
  } finally {
    // What was measured before a run was stopped or failed is worth keeping.
    publishGrowth(found, options)
  }
}

async function measureInto(found: Found, options: GrowthOptions): Promise<void> {
  const { rookery, reference, windowMs, say } = options
  const steps = options.steps.toSorted((a, b) => a - b)
  const context = { system: rookery, fixtures: new Fixtures(rookery, say), windowMs, say }
  if (reference !== undefined) {
    const other = { ...context, system: reference, fixtures: new Fixtures(reference, say) }
    await measureAccounts(other, steps.slice(0, 1), (step) => found.accounts.push(step))
  }
  if (steps.length > 0) {
    await measureAccounts(context, steps, (step) => found.accounts.push(step))
    await measureRepos(context, (step) => found.repos.push(step))
  }
  if (options.hourlyRate > 0) {
    await measureHour({ ...context, rookery }, options.hourlyRate, (chunk) => found.chunks.push(chunk))
  }
  say('measuring what an idle system uses')
  found.idle = await idleUse([rookery])
  found.health = await tableHealth(rookery.databaseUrl)
}

function publishGrowth(found: Found, { resultsDir, say }: GrowthOptions): void {
  const { accounts, repos, chunks, health, idle } = found
  const report = [
    ...(accounts.length > 0 ? [accountTable(accounts), sizeTable(accounts)] : []),
    ...(repos.length > 0 ? [repoTable(repos)] : []),
    ...(chunks.length > 0 ? [hourTable(chunks)] : []),
    ...(idle.length > 0 ? [healthTable(health), idleTable(idle)] : []),
    '',
  ].join('\n\n')
  mkdirSync(resultsDir, { recursive: true })
  writeFileSync(join(resultsDir, 'growth.md'), report)
  writeFileSync(join(resultsDir, 'growth.json'), `${JSON.stringify(found, null, 2)}\n`)
  const plot = growthPlot(found)
  if (plot !== undefined) writeFileSync(join(resultsDir, 'growth.svg'), plot)
  process.stdout.write(report)
  say(`kept in ${resultsDir}`)
}
