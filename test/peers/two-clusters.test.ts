import { afterAll, beforeAll, expect, test } from 'vitest'

import {
  expectArrivalEvents,
  expectAtHome,
  expectDeparted,
  expectSameContent,
  expectVerifiable,
} from '../support/after-migration.ts'
import { migrateAccount } from '../support/migrate-account.ts'
import { type Peer, contentOf } from '../support/peer.ts'
import { settle } from '../support/settle.ts'
import { startStack } from '../support/stack.ts'
import { Subscriber } from '../support/subscriber.ts'

const small = ['--api', '1', '--firehose', '1', '--sequencer', '1']

let running: AsyncDisposableStack
let old: Peer
let young: Peer

beforeAll(async () => {
  await using starting = new AsyncDisposableStack()
  const first = await starting.use(await startStack(small)).read()
  const { plcUrl } = first
  const second = await starting.use(await startStack([...small, '--plc-url', plcUrl])).read()
  old = { url: first.hosts[0]!.url, mailUrl: first.mailUrl, plcUrl }
  young = { url: second.hosts[1]!.url, mailUrl: second.mailUrl, plcUrl }
  running = starting.move()
}, 400_000)

afterAll(() => running?.disposeAsync(), 140_000)

test('an account moves from one cluster to another that has its own keys, and returns', async () => {
  const resident = await settle(old, 'settler')
  await using oldFirehose = new Subscriber(old.url)
  await using newFirehose = new Subscriber(young.url)
  await Promise.all([oldFirehose.opened, newFirehose.opened])
  const before = await contentOf(resident)
  const moved = await migrateAccount(resident, { peer: young, handle: 'settler.second.test' })
  await expectSameContent(moved, before)
  await expectVerifiable(moved, before)
  await expectArrivalEvents(moved, newFirehose, before)
  await expectDeparted(resident, oldFirehose)
  await expectAtHome(moved, 'settler2.second.test')

  const away = await contentOf(moved)
  const returned = await migrateAccount(moved, { peer: old })
  await expectSameContent(returned, away)
  await expectVerifiable(returned, away)
  await expectAtHome(returned, 'settler3.test')
  expect([...oldFirehose.notices, ...newFirehose.notices]).toEqual([])
}, 120_000)
