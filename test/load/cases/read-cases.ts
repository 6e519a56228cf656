import { firstServer, recordPath } from '../fixtures/fixtures.ts'
import { collection, createRecord } from '../fixtures/records.ts'
import { Connection } from '../http/connection.ts'
import { callJson } from '../http/load-balance.ts'
import { type BenchCase, type CaseContext, httpCase, roundRobin } from './bench-case.ts'

/** Commits after the revision that getRepoSince asks for. */
const commitsSince = 100

/** describeServer, getRecord, listRecords and getRepo. */
export const readCases: BenchCase[] = [
  httpCase({
    name: 'describeServer',
    params: { concurrency: 16 },
    isQuick: true,
    prepare: () => Promise.resolve(() => get('/xrpc/com.atproto.server.describeServer')),
  }),
  ...[1, 4, 16, 64].map(getRecord),
  httpCase({
    name: 'listRecords100',
    params: { accounts: 10, concurrency: 16 },
    isQuick: true,
    prepare: async ({ fixtures }) => {
      const accounts = []
      for (let n = 0; n < 10; n++) accounts.push(await fixtures.repo(200, `list ${n}`))
      const account = roundRobin(accounts)
      return () =>
        get(`/xrpc/com.atproto.repo.listRecords?repo=${account().did}&collection=${collection}&limit=100`)
    },
  }),
  getRepo({ name: 'getRepo10k', records: 10_000, concurrency: 4, isQuick: true }),
  getRepo({ name: 'getRepo100k', records: 100_000, concurrency: 1, operations: 3 }),
  httpCase({
    name: 'getRepoSince',
    params: { records: 10_000, commits: commitsSince, concurrency: 4 },
    prepare: async (context) => {
      const { did, rev } = await repoWithCommits(context)
      return () => get(`/xrpc/com.atproto.sync.getRepo?did=${did}&since=${rev}`)
    },
  }),
]

function get(path: string) {
  return { request: { method: 'GET' as const, path } }
}

function getRecord(concurrency: number): BenchCase {
  return httpCase({
    name: 'getRecord',
    params: { accounts: 100, concurrency },
    isQuick: concurrency === 16,
    prepare: async ({ fixtures }) => {
      const record = roundRobin(await fixtures.records(100))
      return () => get(recordPath(record()))
    },
  })
}

function getRepo(options: {
  name: string
  records: number
  concurrency: number
  isQuick?: boolean
  operations?: number
}): BenchCase {
  const { name, records, concurrency, ...rest } = options
  return httpCase({
    name,
    params: { records, concurrency },
    ...rest,
    prepare: async ({ fixtures }) => {
      const { did } = await fixtures.repo(records)
      return () => get(`/xrpc/com.atproto.sync.getRepo?did=${did}`)
    },
  })
}

async function repoWithCommits({ system, fixtures }: CaseContext): Promise<{ did: string; rev: string }> {
  const account = await fixtures.repo(10_000)
  using connection = new Connection(firstServer(system))
  const path = `/xrpc/com.atproto.sync.getLatestCommit?did=${account.did}`
  const { rev } = await callJson<{ rev: string }>(connection, { method: 'GET', path })
  for (let n = 0; n < commitsSince; n++) await callJson(connection, createRecord(account, fixtures.number()))
  return { did: account.did, rev }
}
