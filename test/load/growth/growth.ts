/**
 * How costs and sizes grow: with the number of accounts, with the size of a repo, and over an hour's worth of
 * writes. Beside Rookery the reference is measured at the smallest number of accounts only: it can have them only by
 * signing each up, which takes it half an hour for 100,000.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { Fixtures } from '../fixtures/fixtures.ts'
import { idleUse } from '../idle-use.ts'
import { idleTable } from '../report/publish.ts'
import { tableHealth } from '../systems/database-size.ts'
import type { Rookery } from '../systems/rookery.ts'
import type { System } from '../systems/system.ts'
import { type AccountStep, measureAccounts } from './account-growth.ts'
import { accountTable, healthTable, hourTable, repoTable, sizeTable } from './growth-report.ts'
import { growthPlot } from './growth-plot.ts'
import { measureHour } from './hour.ts'
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

/** Measures all that was asked for, prints tables and keeps them, with a plot, in `resultsDir`. */
export async function measureGrowth(options: GrowthOptions): Promise<void> {
  const { rookery, reference, resultsDir, windowMs, say } = options
  const steps = options.steps.toSorted((a, b) => a - b)
  const context = { system: rookery, fixtures: new Fixtures(rookery, say), windowMs, say }
  const accounts: AccountStep[] = []
  const repos: RepoStep[] = []
  if (reference !== undefined && steps[0] !== undefined) {
    const other = { ...context, system: reference, fixtures: new Fixtures(reference, say) }
    accounts.push(...(await measureAccounts(other, steps.slice(0, 1))))
  }
  if (steps.length > 0) {
    accounts.push(...(await measureAccounts(context, steps)))
    repos.push(...(await measureRepos(context)))
  }
  const chunks = options.hourlyRate > 0 ? await measureHour({ ...context, rookery }, options.hourlyRate) : []
  say('measuring what an idle system uses')
  const idle = await idleUse([rookery])
  const health = await tableHealth(rookery.databaseUrl)
  const report = [
    ...(steps.length > 0 ? [accountTable(accounts), sizeTable(accounts), repoTable(repos)] : []),
    ...(chunks.length > 0 ? [hourTable(chunks)] : []),
    healthTable(health),
    idleTable(idle),
    '',
  ].join('\n\n')
  mkdirSync(resultsDir, { recursive: true })
  writeFileSync(join(resultsDir, 'growth.md'), report)
  writeFileSync(
    join(resultsDir, 'growth.json'),
    `${JSON.stringify({ accounts, repos, chunks, health, idle }, null, 2)}\n`,
  )
  const plot = growthPlot({ accounts, repos, chunks })
  if (plot !== undefined) writeFileSync(join(resultsDir, 'growth.svg'), plot)
  process.stdout.write(report)
  say(`kept in ${resultsDir}`)
}
