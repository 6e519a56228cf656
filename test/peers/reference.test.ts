import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { startMailCatcher } from '@rookery/local'
import { afterAll, beforeAll, expect, test } from 'vitest'

import {
  expectArrivalEvents,
  expectAtHome,
  expectDeparted,
  expectSameContent,
  expectVerifiable,
} from '../support/after-migration.ts'
import { migrateAccount } from '../support/migrate-account.ts'
import { moveOnPages } from '../support/move-on-pages.ts'
import { type Peer, contentOf } from '../support/peer.ts'
import { installReference } from '../support/reference/install-reference.ts'
import { startReference } from '../support/reference/start-reference.ts'
import { settle } from '../support/settle.ts'
import { startStack } from '../support/stack.ts'
import { Subscriber } from '../support/subscriber.ts'

/** Shared with the benchmark: the installation takes minutes. */
const benchDir = resolve(import.meta.dirname, '../../.local/bench')

let running: AsyncDisposableStack
let rookery: Peer
let reference: Peer

beforeAll(async () => {
  await using starting = new AsyncDisposableStack()
  const say = (text: string) => process.stderr.write(`[peers] ${text}\n`)
  const install = installReference({ parentDir: benchDir, update: false, say })
  say(`the reference is @atproto/pds ${install.version}`)
  const dir = mkdtempSync(join(tmpdir(), 'rookery-peers-'))
  starting.defer(() => rmSync(dir, { recursive: true, force: true }))
  const stack = starting.use(await startStack(['--api', '1', '--firehose', '1', '--sequencer', '1']))
  const { hosts, mailUrl, plcUrl } = await stack.read()
  rookery = { url: hosts[1]!.url, mailUrl, plcUrl }
  const mail = starting.use(await startMailCatcher())
  const pds = starting.use(
    await startReference({ install, dir, plcUrl, smtpUrl: mail.smtpUrl, isReachable: true }),
  )
  reference = { url: pds.url, mailUrl: mail.mailUrl, plcUrl }
  running = starting.move()
}, 900_000)

afterAll(() => running?.disposeAsync(), 70_000)

test('an account moves in from the reference PDS', async () => {
  const resident = await settle(reference, 'incomer')
  await using oldFirehose = new Subscriber(reference.url)
  await using newFirehose = new Subscriber(rookery.url)
  await Promise.all([oldFirehose.opened, newFirehose.opened])
  const before = await contentOf(resident)
  const moved = await migrateAccount(resident, { peer: rookery, handle: 'incomer.second.test' })
  await expectSameContent(moved, before)
  await expectVerifiable(moved, before)
  await expectArrivalEvents(moved, newFirehose, before)
  await expectDeparted(resident, oldFirehose)
  await expectAtHome(moved, 'incomer2.second.test')
  expect([...oldFirehose.notices, ...newFirehose.notices]).toEqual([])
}, 120_000)

test('an account moves in from the reference PDS on pages alone', async () => {
  const resident = await settle(reference, 'walkerin')
  await using oldFirehose = new Subscriber(reference.url)
  await using newFirehose = new Subscriber(rookery.url)
  await Promise.all([oldFirehose.opened, newFirehose.opened])
  const before = await contentOf(resident)
  const moved = await moveOnPages(resident, { peer: rookery, handle: 'walkerin.second.test' })
  await expectSameContent(moved, before)
  await expectVerifiable(moved, before)
  const { data } = await moved.agent.app.bsky.actor.getPreferences()
  expect(data.preferences).toContainEqual(expect.objectContaining({ enabled: true }))
  await expectArrivalEvents(moved, newFirehose, before)
  await expectDeparted(resident, oldFirehose)
  await expectAtHome(moved, 'walkerin2.second.test')
}, 120_000)

test('an account moves out to the reference PDS, and returns', async () => {
  const resident = await settle(rookery, 'outgoer')
  await using oldFirehose = new Subscriber(rookery.url)
  await oldFirehose.opened
  const before = await contentOf(resident)
  const moved = await migrateAccount(resident, { peer: reference, handle: 'outgoer.test' })
  await expectSameContent(moved, before)
  await expectDeparted(resident, oldFirehose)
  await expectAtHome(moved, 'outgoer2.test')
  // NOTE: the reference serves the commit that was imported until the first write signs one of its own.
  await expectVerifiable(moved, before)

  const away = await contentOf(moved)
  const returned = await migrateAccount(moved, { peer: rookery })
  const home = await expectSameContent(returned, away)
  expect(home.rev > away.rev).toBe(true)
  await expectVerifiable(returned, away)
  await expectAtHome(returned, 'outgoer3.second.test')
}, 120_000)
