import { AtpAgent } from '@atproto/api'
import { must } from '@rookery/std'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'

import {
  expectArrivalEvents,
  expectAtHome,
  expectDeparted,
  expectSameContent,
  expectVerifiable,
} from '../support/after-migration.ts'
import { migrateAccount } from '../support/migrate-account.ts'
import { type Peer, type Resident, contentOf, mailedToken, mailsTo } from '../support/peer.ts'
import { settle } from '../support/settle.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { Subscriber } from '../support/subscriber.ts'
import { until } from '../support/until.ts'

let stack: Stack
let first: Peer
let second: Peer

beforeAll(async () => {
  stack = await startStack(['--api', '1', '--firehose', '1', '--sequencer', '1'])
  const { hosts, mailUrl, plcUrl } = await stack.read()
  ;[first, second] = hosts.map(({ url }) => ({ url, mailUrl, plcUrl })) as [Peer, Peer]
}, 200_000)

afterAll(async () => {
  await stack[Symbol.asyncDispose]()
}, 70_000)

test('an account moves between two hosts of one cluster, and back, and there again', async () => {
  const resident = await settle(first, 'nomad')
  await using oldFirehose = new Subscriber(first.url)
  await using newFirehose = new Subscriber(second.url)
  await Promise.all([oldFirehose.opened, newFirehose.opened])
  const before = await contentOf(resident)

  const moved = await migrateAccount(resident, { peer: second, handle: 'nomad.second.test' })
  await expectSameContent(moved, before)
  await expectVerifiable(moved, before)
  await expectArrivalEvents(moved, newFirehose, before)
  await expectDeparted(resident, oldFirehose)
  await expectAtHome(moved, 'nomad2.second.test')

  // The first host has the account still: it is no new one there, and takes up where it was.
  await expect(createAgain(moved, first, 'again.test')).rejects.toMatchObject({
    status: 400,
    message: 'The host already has an account of this DID',
  })
  const away = await contentOf(moved)
  const returned = await migrateAccount(moved, { peer: first })
  await expectSameContent(returned, away)
  await expectVerifiable(returned, away)
  await expectAtHome(returned, 'nomad3.test')

  // Deleted where it left, it can be made there anew, and the rev goes on above all that was ever seen.
  await deleteAccount(moved)
  const home = await contentOf(returned)
  const again = await migrateAccount(returned, { peer: second, handle: 'nomad.second.test' })
  await expectSameContent(again, home)
  await expectVerifiable(again, home)
  await expectAtHome(again, 'nomad4.second.test')
}, 120_000)

test('an import whose worker is killed is done by the next one, and the client that waits is answered', async () => {
  const { databaseUrl } = await stack.read()
  const resident = await settle(first, 'patient')
  const { agent, did } = resident
  const before = await contentOf(resident)
  const { data: car } = await agent.com.atproto.sync.getRepo({ did })
  const database = new Client({ connectionString: databaseUrl })
  await database.connect()
  try {
    // While the repo is locked the import is neither done nor over.
    await database.query('begin')
    await database.query('select from repo where did = $1 for update', [did])
    const answer = agent.com.atproto.repo.importRepo(car, { encoding: 'application/vnd.ipld.car' })
    await until(
      async () => {
        const { rows } = await database.query(
          `select progress from job_outbox where queue = 'repo-import' and state = 'open'`,
        )
        return rows.some(({ progress }) => progress?.phase === 'walking')
      },
      { what: 'the import to run' },
    )
    const worker = must((await stack.read()).processes.find(({ role }) => role === 'worker'))
    process.kill(worker.pid, 'SIGKILL')
    await database.query('rollback')
    expect((await answer).success).toBe(true)
    expect((await stack.read()).processes).not.toContainEqual(worker)
  } finally {
    await database.end()
  }
  await expectSameContent(resident, before)
  await expectVerifiable(resident, before)
}, 120_000)

async function createAgain({ agent, did }: Resident, peer: Peer, handle: string): Promise<unknown> {
  const { server } = new AtpAgent({ service: peer.url }).com.atproto
  const { data: description } = await server.describeServer()
  const lxm = 'com.atproto.server.createAccount'
  const { data: auth } = await agent.com.atproto.server.getServiceAuth({ aud: description.did, lxm })
  const input = { did, handle, email: 'again@mail.example', password: 'long enough' }
  return server.createAccount(input, { headers: { authorization: `Bearer ${auth.token}` } })
}

async function deleteAccount({ agent, peer, did, email, password }: Resident): Promise<void> {
  const mails = (await mailsTo(peer, email)).length
  await agent.com.atproto.server.requestAccountDelete()
  const token = await mailedToken(peer, email, mails)
  await agent.com.atproto.server.deleteAccount({ did, password, token })
}
