import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { AtpAgent } from '@atproto/api'
import { isSchemaReady, migrate } from '@rookery/db'
import { must } from '@rookery/std'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Follower } from '../support/follower.ts'
import { nextMigrations } from '../support/next-migrations.ts'
import { missingRecords } from '../support/missing-records.ts'
import { type Stack, type StackFile, startStack } from '../support/stack.ts'
import { type Client, Transfers, importRepo, proxied, slowExport, slowUpload } from '../support/transfers.ts'
import { until } from '../support/until.ts'
import { WriterLoad } from '../support/writer-load.ts'

const writesPerSecond = 100
const readers = 5
const updateMsMax = 240_000

const running = new AsyncDisposableStack()
let stack: Stack
let url: string
let pool: Pool
let load: WriterLoad
let followers: Follower[]
let transfers: Record<'uploads' | 'exports' | 'imports' | 'proxied requests', Transfers>
let before: StackFile
/** What the repo that is exported is answered with while nothing happens. */
let quietExport: string

beforeAll(async () => {
  const appView = createServer((_request, response) => {
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{"mutes":[]}'), 500)
  }).listen(0, '127.0.0.1')
  await once(appView, 'listening')
  running.defer(() => void appView.close())
  const { port } = appView.address() as AddressInfo
  stack = running.use(await startStack(['--appview', `did:web:appview.test,http://127.0.0.1:${port}`]))
  before = await stack.read()
  url = must(before.hosts[0]).url
  pool = running.adopt(new Pool({ connectionString: before.databaseUrl, max: 2 }), (pool) => pool.end())
  followers = Array.from({ length: readers }, () => running.use(new Follower(url)))
  const exported = await clientWithRepo('exported', 20)
  const imported = await clientWithRepo('imported', 4)
  quietExport = await slowExport(exported, 0)
  const car = await (await fetch(`${url}/xrpc/com.atproto.sync.getRepo?did=${imported.did}`)).blob()
  load = await WriterLoad.start({ url, accounts: 10, writesPerSecond, name: 'rolling', retriesOn503: true })
  running.use(load)
  transfers = {
    uploads: running.use(new Transfers(() => slowUpload(exported))),
    exports: running.use(new Transfers(() => slowExport(exported))),
    imports: running.use(new Transfers(() => importRepo(imported, car))),
    'proxied requests': running.use(new Transfers(() => proxied(exported))),
  }
}, 240_000)

afterAll(async () => {
  await running.disposeAsync()
  const pauses = followers.map(({ longestPauseMs }) => Math.round(longestPauseMs))
  process.stdout.write(
    `rolling update: ${load.summary()}; longest pauses of readers ${pauses.join(', ')} ms\n`,
  )
}, 120_000)

describe('a rolling update under load', () => {
  test(
    'begins with a newer schema, on which the running processes go on',
    async () => {
      const { next, tables } = await nextMigrations(pool)
      expect(await migrate(pool, next)).toHaveLength(tables.length + 1)
      expect(await isSchemaReady(pool, next)).toBe(true)
      const count = load.acknowledged.length
      await until(() => load.acknowledged.length > count + writesPerSecond, { what: 'writes to go on' })
      expect(pidsOf(await stack.read())).toEqual(pidsOf(before))
    },
    updateMsMax,
  )

  test(
    'replaces every process by one that starts on the newer schema',
    async () => {
      const old = new Set(pidsOf(before))
      const replaced = async (role: string): Promise<boolean> =>
        (await stack.read()).processes.some((process) => process.role === role && !old.has(process.pid))
      const updated = stack.update()
      await until(() => replaced('worker'), { what: 'another worker', timeoutMs: updateMsMax })
      // The old one ends its job or gives it back.
      await transfers.imports[Symbol.asyncDispose]()
      await updated
      const after = await stack.read()
      expect(rolesOf(after).map(({ role }) => role)).toEqual(rolesOf(before).map(({ role }) => role))
      expect(rolesOf(after).filter(({ pid }) => old.has(pid))).toEqual([])
    },
    updateMsMax,
  )

  test('fails no write of a client that tries once more after a 503', async () => {
    await load[Symbol.asyncDispose]()
    expect(load.failures).toEqual(new Map())
    expect(load.acknowledged.length).toBeGreaterThan(0)
  }, 60_000)

  test('cuts no upload, export, import or proxied request', async () => {
    await Promise.all(Object.values(transfers).map((each) => each[Symbol.asyncDispose]()))
    const answers = Object.fromEntries(
      Object.entries(transfers).map(([name, { answers }]) => [name, [...answers.keys()]]),
    )
    expect(answers).toEqual({
      uploads: [expect.stringMatching(/^200 bafkrei\w+$/)],
      exports: [quietExport],
      imports: ['200 '],
      'proxied requests': ['200 {"mutes":[]}'],
    })
  }, 60_000)

  test('keeps every acknowledged record', async () => {
    expect(await missingRecords(url, load)).toEqual([])
  }, 60_000)

  test('gives readers that come back at their cursor, and one that reads it all afterwards, the same events', async () => {
    const afterwards = running.use(new Follower(url))
    const all = [...followers, afterwards]
    const lastSeq = await newestSeq()
    for (const [n, follower] of all.entries()) {
      await until(() => (follower.messages.at(-1)?.seq ?? 0) >= lastSeq, {
        what: `reader ${n} to have all events`,
      })
    }
    const seqs = afterwards.messages.map(({ seq }) => seq)
    expect(seqs.filter((seq, n) => n > 0 && seq <= must(seqs[n - 1]))).toEqual([])
    for (const follower of followers) {
      expect(follower.messages.map(({ seq }) => seq)).toEqual(seqs)
      expect(
        follower.messages.every(({ bytes }, n) => bytes.equals(must(afterwards.messages[n]).bytes)),
      ).toBe(true)
      expect(follower.notices).toEqual([])
      expect(follower.closeCodes.filter((code) => code !== 1001)).toEqual([])
    }
    expect(followers.flatMap(({ closeCodes }) => closeCodes).length).toBeGreaterThanOrEqual(readers)
    const emitted = afterwards.messages
      .filter(({ body }) => 'repo' in body)
      .map(({ body }) => `${String(body['repo'])} ${String(body['rev'])}`)
    expect(new Set(emitted).size).toBe(emitted.length)
    const emittedOnce = new Set(emitted)
    const missing = load.acknowledged.filter(({ did, rev }) => !emittedOnce.has(`${did} ${rev}`))
    expect(missing).toEqual([])
  }, 120_000)
})

function rolesOf({ processes }: StackFile): StackFile['processes'] {
  return processes.filter(({ role }) => ['api', 'firehose', 'sequencer', 'worker'].includes(role))
}

function pidsOf({ processes }: StackFile): number[] {
  return processes.map(({ pid }) => pid)
}

/** Of the first host: what is on its way to the log is waited for. */
async function newestSeq(): Promise<number> {
  const queued = 'select count(*)::int as count from event_queue'
  await until(async () => (await pool.query<{ count: number }>(queued)).rows[0]?.count === 0, {
    what: 'every event to be numbered',
  })
  const { rows } = await pool.query<{ seq: string }>(
    'select max(seq) as seq from event_log join host on host.id = host_id where hostname = $1',
    [must(before.hosts[0]).hostname],
  )
  return Number(rows[0]?.seq)
}

/** An account with many records of some kilobytes each, in as many commits as told. */
async function clientWithRepo(name: string, commits: number): Promise<Client> {
  const agent = new AtpAgent({ service: url })
  const password = 'a long and quiet password'
  await agent.createAccount({ handle: `${name}.test`, email: `${name}@example.org`, password })
  const did = agent.assertDid
  for (let n = 0; n < commits; n++) {
    const writes = Array.from({ length: 200 }, (_, m) => ({
      $type: 'com.atproto.repo.applyWrites#create' as const,
      collection: 'org.example.note',
      value: { $type: 'org.example.note', text: `${n} ${m} ${'note '.repeat(600)}` },
    }))
    await agent.com.atproto.repo.applyWrites({ repo: did, writes })
  }
  return { url, did, token: must(agent.session).accessJwt }
}
