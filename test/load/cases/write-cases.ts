import { measureLoad } from '../closed-loop.ts'
import { applyCreates, createRecord } from '../fixtures/records.ts'
import { Connection } from '../http/connection.ts'
import { callJson } from '../http/load-balance.ts'
import { type BenchCase, type CaseContext, httpCase, roundRobin, sessions } from './bench-case.ts'

/** The concurrencies of the plot, over 100 accounts; 16 is the headline. */
const plotted = [4, 16, 64].map((concurrency) => overAccounts(100, concurrency))

/** createRecord and applyWrites. */
export const writeCases: BenchCase[] = [
  overAccounts(100, 1),
  ...plotted,
  overAccounts(100, 16, 'turns'),
  ...[1, 16, 64].map((concurrency) => overAccounts(1, concurrency)),
  ...[1, 16, 64].map((concurrency) => overAccounts(10_000, concurrency)),
  ...[10, 10_000, 100_000].map(intoHotRepo),
  ...[10, 10_000, 100_000].map(intoColdRepo),
  httpCase({
    name: 'applyWrites200',
    params: { accounts: 10, concurrency: 4 },
    isQuick: true,
    prepare: async ({ fixtures }) => {
      const account = sessions(await fixtures.accounts(10))
      return () => {
        const { item, session } = account()
        return { request: applyCreates(item, fixtures.number(), 200), session }
      }
    },
  }),
]

/** createRecord with another number of api processes; the reference is always one process. */
export function throughApi(apiCount: number): BenchCase {
  const { params, ...rest } = overAccounts(100, 16)
  return { ...rest, isQuick: false, params: { ...params, api: apiCount } }
}

/** @param routing whether a session's requests come to one api process, or to all of them in turn. */
function overAccounts(
  accounts: number,
  concurrency: number,
  routing: 'sessions' | 'turns' = 'sessions',
): BenchCase {
  return httpCase({
    name: 'createRecord',
    params: { accounts, concurrency, ...(routing === 'turns' && { routing }) },
    isQuick: accounts === 100 && concurrency === 16 && routing === 'sessions',
    prepare: async ({ fixtures }) => {
      const account = sessions(await fixtures.accounts(accounts))
      return () => {
        const { item, session } = account()
        const request = createRecord(item, fixtures.number())
        return routing === 'turns' ? { request } : { request, session }
      }
    },
  })
}

function intoHotRepo(repoRecords: number): BenchCase {
  return httpCase({
    name: 'createRecord',
    params: { accounts: 1, concurrency: 4, repoRecords, state: 'hot' },
    prepare: async ({ fixtures }) => {
      const account = await fixtures.repo(repoRecords, 'write')
      return () => ({ request: createRecord(account, fixtures.number()), session: 0 })
    },
  })
}

/** How many writes to other repos warm a new process up before the write that is measured. */
const warmUpWrites = 200

/** The first write into a repo after every process that might know it was replaced. */
function intoColdRepo(repoRecords: number): BenchCase {
  return {
    name: 'createRecord',
    params: { accounts: 1, concurrency: 1, repoRecords, state: 'cold' },
    isQuick: false,
    measure: async (context) => {
      const { system, fixtures, observer } = context
      const account = await fixtures.repo(repoRecords, 'write')
      await system.restartServers()
      await warmUp(context)
      const next = () => ({ request: createRecord(account, fixtures.number()) })
      return measureLoad({ system, concurrency: 1, extent: { operations: 1 }, next, observer })
    },
  }
}

/** Lets every server compile its code and open its connections. */
async function warmUp({ system, fixtures }: Pick<CaseContext, 'system' | 'fixtures'>): Promise<void> {
  const account = roundRobin(await fixtures.accounts(10))
  for (const server of system.servers()) {
    using connection = new Connection(server)
    for (let n = 0; n < warmUpWrites; n++) {
      await callJson(connection, createRecord(account(), fixtures.number()))
    }
  }
}
