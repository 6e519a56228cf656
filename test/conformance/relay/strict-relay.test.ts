import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Secp256k1Keypair } from '@atproto/crypto'
import { BlockMap, blocksToCarFile, readCarWithRoot } from '@atproto/repo'
import { encode } from '@ipld/dag-cbor'
import { beforeEach, describe, expect, test } from 'vitest'

import { compareWithHost } from './compare-with-host.ts'
import { CraftedRepo, frameOf } from './crafted-repo.ts'
import { type Rule, rules } from './rules.ts'
import { StrictRelay } from './strict-relay.ts'
import { tidAfter } from './tid.ts'

type Cid = Parameters<BlockMap['delete']>[0]

let repo: CraftedRepo
let relay: StrictRelay

beforeEach(async () => {
  repo = await CraftedRepo.create()
  relay = new StrictRelay({ pdsUrl: 'https://pds.test', identities: repo })
})

async function accept(...frames: Uint8Array[]): Promise<Rule[]> {
  for (const frame of frames) await relay.accept(frame)
  return relay.findings.map(({ rule }) => rule)
}

test('an account’s life that keeps every rule is taken in silence', async () => {
  await accept(...(await repo.begin()))
  for (let n = 0; n < 30; n++) await accept(await repo.write(`key${n}`, `text ${n}`))
  await accept(
    await repo.write('key3', 'other'),
    await repo.write('key7', null),
    await repo.write('key7', 'text 7'),
  )
  await accept(await repo.bent({ rev: tidAfter(repo.repo.commit.rev, 1) }))
  await accept(repo.account({ active: false, status: 'deactivated' }), repo.says(), repo.account())
  await repo.resign(tidAfter(repo.repo.commit.rev, 10))
  await accept(await repo.sync(), await repo.write('again', 'text'))
  expect(relay.findings).toEqual([])
})

test('a deleted account comes back above its last rev', async () => {
  await accept(...(await repo.begin()), await repo.write('a', 'text'))
  await accept(repo.account({ active: false, status: 'deleted' }), repo.says(), repo.account())
  await accept(await repo.bent({ rev: tidAfter(repo.repo.commit.rev, 1) }))
  expect(relay.findings).toEqual([])
})

/** Breaks one rule, most after an account has begun in good order. */
const breaches: Record<Exclude<Rule, 'head' | 'status' | 'unseen'>, () => Promise<Uint8Array[]>> = {
  'frame-size': () => Promise.resolve([new Uint8Array(5_000_001)]),
  'frame-encoding': async () => {
    const frame = await repo.write('a', 'text')
    return [Buffer.concat([frame, encode(1)])]
  },
  'frame-error': () =>
    Promise.resolve([Buffer.concat([encode({ op: -1 }), encode({ error: 'ConsumerTooSlow' })])]),
  seq: () => Promise.resolve([repo.says({ seq: repo.seq })]),
  fields: () => repo.write('a', 'text', { prev: null }).then((frame) => [frame]),
  syntax: () => Promise.resolve([repo.says({ handle: 'no handle' })]),
  time: () => Promise.resolve([repo.says({ time: '2026-01-01 00:00:00' })]),
  announced: async () => {
    relay = new StrictRelay({ pdsUrl: 'https://pds.test', identities: repo })
    return [await repo.write('a', 'text')]
  },
  inactive: async () => [repo.account({ active: false, status: 'takendown' }), await repo.write('a', 'text')],
  deleted: () =>
    Promise.resolve([
      repo.account({ active: false, status: 'deleted' }),
      repo.account({ active: false, status: 'takendown' }),
    ]),
  unresolved: () => {
    repo.identity = undefined
    return Promise.resolve([repo.says()])
  },
  host: () => {
    repo.identity!.pdsUrl = 'https://elsewhere.test'
    return Promise.resolve([repo.account()])
  },
  handle: () => Promise.resolve([repo.says({ handle: 'bob.test' })]),
  'slice-size': async () => [await repo.write('a', 'text', { blocks: new Uint8Array(2_000_001) })],
  'ops-count': async () => {
    const ops = Array.from({ length: 201 }, (_, n) => ({
      action: 'create',
      path: `a.b.c/${n}`,
      cid: repo.repo.cid,
    }))
    return [await repo.write('a', 'text', { ops })]
  },
  ops: async () => {
    const op = { action: 'create', path: 'a.b.c/d', cid: repo.repo.cid }
    return [await repo.write('a', 'text', { ops: [op, op] })]
  },
  car: async () => [await repo.write('a', 'text', { commit: repo.repo.cid })],
  'commit-object': () =>
    repo.bent({ rev: tidAfter(repo.repo.commit.rev, 1), more: 1 }).then((frame) => [frame]),
  'rev-future': async () => [await repo.bent({ rev: tidAfter(repo.repo.commit.rev, 301_000) })],
  'rev-order': async () => [await repo.bent({})],
  signature: async () => {
    const key = await Secp256k1Keypair.create()
    return [await repo.bent({ rev: tidAfter(repo.repo.commit.rev, 1) }, key)]
  },
  chain: async () => {
    await repo.write('a', 'text')
    return [await repo.write('b', 'text')]
  },
  record: async () => {
    const text = 'x'.repeat(1_000_001)
    return [await repo.write('a', text)]
  },
  inversion: async () => {
    const { data } = repo.repo.commit
    await accept(await repo.write('a', 'text'))
    const wrong = { prevData: repo.repo.commit.data, ops: [] }
    expect(data.equals(repo.repo.commit.data)).toBe(false)
    return [await repo.write('b', 'text', wrong)]
  },
  'sync-size': async () => [await repo.sync({ blocks: new Uint8Array(10_001) })],
  'sync-blocks': async () => {
    const more = new BlockMap()
    await more.add({ another: 'block' })
    return [await repo.sync({}, more)]
  },
}

describe.each(Object.entries(breaches))('a frame that breaks the rule “%s”', (rule, breach) => {
  // SPEC SYN-1, SYN-2, SYN-3, SYN-4, SYN-5, SYN-14, REP-1, REP-2
  test(`is reported: ${rules[rule as Rule]}`, async () => {
    expect(await accept(...(await repo.begin()))).toEqual([])
    expect(await accept(...(await breach()))).toEqual([rule])
  })
})

describe('what else breaks a rule', () => {
  beforeEach(async () => {
    await accept(...(await repo.begin()), await repo.write('kept', 'text'))
  })

  test('keys that are not in canonical order', async () => {
    const body = Buffer.from(repo.says()).subarray(encode({ op: 1, t: '#identity' }).length)
    // Two pairs of the map, exchanged: "did" belongs before "seq".
    const text = body.toString('latin1')
    const did = /cdid.{34}/s.exec(text)![0]
    const seq = /cseq.{9}/s.exec(text)![0]
    const swapped = Buffer.from(text.replace(did, '').replace(seq, seq + did), 'latin1')
    expect(await accept(Buffer.concat([encode({ op: 1, t: '#identity' }), swapped]))).toEqual([
      'frame-encoding',
    ])
  })

  test.each([
    ['a type that was removed', '#handle', 'frame-encoding'],
    ['#info', '#info', 'frame-error'],
  ])('%s', async (_, type, rule) => {
    expect(await accept(frameOf(type, { name: 'OutdatedCursor' }))).toEqual([rule])
  })

  test.each([
    ['tooBig', { tooBig: true }],
    ['rebase', { rebase: true }],
    ['a missing field', { blobs: undefined }],
    ['a seq that JSON cannot hold', { seq: 2n ** 53n }],
  ])('%s', async (_, change) => {
    expect(await accept(await repo.write('a', 'text', change))).toEqual(['fields'])
  })

  test('an active account with a status, an inactive one without', async () => {
    await accept(repo.account({ status: 'takendown' }), repo.account({ active: false, status: undefined }))
    expect(relay.findings.map(({ rule }) => rule)).toEqual(['fields', 'fields'])
  })

  test('an update without the record before, a create with one', async () => {
    const { cid } = repo.repo
    const path = 'app.bsky.feed.post/kept'
    const update = await repo.write('kept', 'other', { ops: [{ action: 'update', path, cid }] })
    const create = await repo.write('a', 'text', { ops: [{ action: 'create', path, cid, prev: cid }] })
    expect(await accept(update, create)).toEqual(['ops', 'ops'])
  })

  test('a slice without a record, one that still has the record before, and one that was changed', async () => {
    const written = async (
      text: string,
      alter: (blocks: BlockMap, cid: Cid) => unknown,
    ): Promise<Uint8Array> => {
      await repo.write('a', text)
      const { root, blocks } = await readCarWithRoot(repo.last['blocks'] as Uint8Array)
      await alter(blocks, (await repo.repo.data.get('app.bsky.feed.post/a'))!)
      return frameOf('#commit', { ...repo.last, blocks: await blocksToCarFile(root, blocks) })
    }
    const created = await written('first', (blocks, cid) => blocks.delete(cid))
    const before = { $type: 'app.bsky.feed.post', text: 'first' }
    const updated = await written('second', (blocks) => blocks.add(before))
    const changed = await written('third', (blocks, cid) => blocks.set(cid, encode({ text: 'fourth' })))
    expect(await accept(created, updated, changed)).toEqual(['record', 'record', 'car'])
  })

  test('a slice without a node that undoing the operations needs', async () => {
    for (let n = 0; n < 40; n++) await accept(await repo.write(`key${n}`, 'text'))
    await repo.write('key7', null)
    const event = repo.last
    const { root, blocks } = await readCarWithRoot(event['blocks'] as Uint8Array)
    const needless = new Set([root.toString(), repo.repo.commit.data.toString()])
    for (const cid of blocks.cids()) if (!needless.has(cid.toString())) blocks.delete(cid)
    const frame = frameOf('#commit', { ...event, blocks: await blocksToCarFile(root, blocks) })
    expect(await accept(frame)).toEqual(['inversion'])
  })

  test('a first commit of a repo that has one, a since that is not the rev before', async () => {
    await accept(await repo.write('a', 'text', { since: null, prevData: undefined }))
    await accept(await repo.write('b', 'text', { since: tidAfter(repo.repo.commit.rev, -1_000) }))
    expect(relay.findings.map(({ rule }) => rule)).toEqual(['chain', 'chain'])
  })

  test('a #sync of a rev that was passed', async () => {
    await repo.sync()
    const sync = repo.last
    await accept(await repo.write('a', 'text'))
    expect(await accept(frameOf('#sync', { ...sync, seq: repo.seq + 1 }))).toEqual(['rev-order'])
  })

  test('a key that the document no longer names', async () => {
    repo.key = await Secp256k1Keypair.create()
    expect(await accept(await repo.write('a', 'text'))).toEqual(['signature'])
    repo.identity!.signingKey = repo.key.did()
    expect(await accept(repo.says(), await repo.write('b', 'text'))).toEqual(['signature'])
  })
})

describe('a host that answers other than its stream', () => {
  /** A host that answers as given. */
  async function hostOf(answers: Record<string, object>): Promise<AsyncDisposable & { url: string }> {
    const server = createServer((request, response) => {
      const nsid = new URL(request.url!, 'http://host').pathname.split('.').at(-1)!
      response.end(JSON.stringify(answers[nsid]))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const stop = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { url, [Symbol.asyncDispose]: stop }
  }

  async function compared(answers: Record<string, object>): Promise<Rule[]> {
    await accept(...(await repo.begin()))
    const { cid, commit } = repo.repo
    await using host = await hostOf({
      getRepoStatus: { did: repo.did, active: true },
      getLatestCommit: { rev: commit.rev, cid: cid.toString() },
      listRepos: { repos: [{ did: repo.did, active: true }] },
      ...answers,
    })
    await compareWithHost(relay, host.url)
    return relay.findings.map(({ rule }) => rule)
  }

  test.each<[Rule | 'nothing', Record<string, object>]>([
    ['nothing', {}],
    ['head', { getLatestCommit: { rev: '3zzzzzzzzzzz2', cid: 'other' } }],
    ['status', { getRepoStatus: { active: false, status: 'takendown' } }],
    ['status', { getRepoStatus: { error: 'RepoNotFound' } }],
    ['unseen', { listRepos: { repos: [{ did: 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb', active: true }] } }],
  ])('%s', async (rule, answers) => {
    expect(await compared(answers)).toEqual(rule === 'nothing' ? [] : [rule])
  })
})
