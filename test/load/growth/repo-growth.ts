import { measureLoad } from '../closed-loop.ts'
import { recordPath } from '../fixtures/fixtures.ts'
import { createRecord } from '../fixtures/records.ts'
import { callJson, connections } from '../http/load-balance.ts'
import type { Measurement } from '../statistics.ts'
import type { GrowthContext } from './growth.ts'

/** Sizes of the repos that are written to and read from. */
const repoRecords = [10, 100, 1_000, 10_000, 100_000]

const concurrency = 4
const warmUpMs = 1_000

/** What a write into a repo of that size costs, and a read from it. */
export type RepoStep = { records: number; createRecord: Measurement; getRecord: Measurement }

/** Measures one repo of each size. Windows of reads come first: writes make the repo larger. */
export async function measureRepos(context: GrowthContext, onStep: (step: RepoStep) => void): Promise<void> {
  for (const records of repoRecords) {
    onStep(await measureRepo(context, records))
    context.say(`measured a repo with ${records} records`)
  }
}

async function measureRepo(
  { system, fixtures, windowMs }: GrowthContext,
  records: number,
): Promise<RepoStep> {
  const account = await fixtures.repo(records, 'growth')
  const load = { system, concurrency, extent: { warmUpMs, windowMs } }
  const path = recordPath({ account, rkey: await newRecord({ system, fixtures }, account) })
  const getRecord = await measureLoad({ ...load, next: () => ({ request: { method: 'GET', path } }) })
  const created = await measureLoad({
    ...load,
    next: () => ({ request: createRecord(account, fixtures.number()), session: 0 }),
  })
  return { records, createRecord: created, getRecord }
}

async function newRecord(
  { system, fixtures }: Pick<GrowthContext, 'system' | 'fixtures'>,
  account: Parameters<typeof createRecord>[0],
): Promise<string> {
  const [connection] = connections(system, 1)
  if (connection === undefined) return ''
  using used = connection
  const { uri } = await callJson<{ uri: string }>(used, createRecord(account, fixtures.number()))
  return uri.split('/').at(-1) ?? ''
}
