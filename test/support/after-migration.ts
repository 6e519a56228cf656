/** What must hold after an account has moved: of the data, of both firehoses, and of what the account can do now. */
import { AtpAgent } from '@atproto/api'
import { type Commit, cborToLexRecord, readCarWithRoot, verifyCommitSig, verifyRepoCar } from '@atproto/repo'
import { must } from '@rookery/std'
import { expect } from 'vitest'

import { type RepoContent, type Resident, contentOf, signingKeyOf } from './peer.ts'
import type { Message, Subscriber } from './subscriber.ts'
import { until } from './until.ts'

/** Checks that the new host has every record and blob of the old one. */
export async function expectSameContent(to: Resident, before: RepoContent): Promise<RepoContent> {
  const after = await contentOf(to)
  expect(after.cids).toEqual(before.cids)
  expect(after.blobs).toEqual(before.blobs)
  return after
}

/** Checks that it serves them to anybody, signed with the key of the DID document, at a rev above the old one's. */
export async function expectVerifiable(to: Resident, before: Pick<RepoContent, 'rev'>): Promise<void> {
  const { did, peer } = to
  const { data: car } = await new AtpAgent({ service: peer.url }).com.atproto.sync.getRepo({ did })
  const { commit } = await verifyRepoCar(car, did, await signingKeyOf(peer, did))
  expect(commit.rev > before.rev, 'the rev has risen').toBe(true)
}

/** Checks that the old host says that the account is gone, and serves nothing of it. */
export async function expectDeparted(from: Resident, oldFirehose: Subscriber): Promise<void> {
  const { did, peer, agent } = from
  const { sync, repo } = new AtpAgent({ service: peer.url }).com.atproto
  const gone = { error: 'RepoDeactivated' }
  await expect(sync.getRepo({ did })).rejects.toMatchObject(gone)
  await expect(sync.getLatestCommit({ did })).rejects.toMatchObject(gone)
  await expect(sync.listBlobs({ did })).rejects.toMatchObject(gone)
  await expect(repo.describeRepo({ repo: did })).rejects.toMatchObject({ status: 400 })
  expect((await sync.getRepoStatus({ did })).data).toEqual({ did, active: false, status: 'deactivated' })
  await expect(post(agent, 'too late')).rejects.toMatchObject({ error: 'AccountDeactivated' })
  const isAccount = ({ type, body }: Message) => type === '#account' && body['did'] === did
  const departure = await until(
    () => oldFirehose.messages.find((message) => isAccount(message) && message.body['active'] === false),
    { what: `the departure of ${did} on the firehose` },
  )
  expect(departure.body).toMatchObject({ status: 'deactivated' })
  expect(oldFirehose.messages.findLast(isAccount)).toBe(departure)
}

/** Checks the new host's events: the identity first, then the account, then the state of a repo that can be verified. */
export async function expectArrivalEvents(
  to: Resident,
  newFirehose: Subscriber,
  before: RepoContent,
): Promise<void> {
  const { did } = to
  const sync = await until(
    () => newFirehose.messages.find(({ type, body }) => isOf(did, body) && type === '#sync'),
    {
      what: `#sync of ${did}`,
    },
  )
  const own = newFirehose.messages.filter(({ body }) => isOf(did, body))
  const upToSync = own.slice(0, own.indexOf(sync) + 1)
  expect(upToSync.map(({ type }) => type)).toEqual(['#identity', '#identity', '#account', '#sync'])
  expect(must(upToSync[2]).body).toMatchObject({ active: true })
  const commit = await commitOf(sync)
  expect(commit).toMatchObject({ did, rev: sync.body['rev'] })
  expect(commit.rev > before.rev, 'the rev is above the old host’s').toBe(true)
  expect(await verifyCommitSig(commit, await signingKeyOf(to.peer, did))).toBe(true)
}

/** Checks that the account can be used: signing in, writing, changing the handle. */
export async function expectAtHome(to: Resident, newHandle: string): Promise<void> {
  const { did, peer, password } = to
  const agent = new AtpAgent({ service: peer.url })
  await agent.login({ identifier: did, password })
  expect(agent.session).toMatchObject({ did, active: true })
  const { uri, cid } = await post(agent, 'a new home')
  const rkey = must(uri.split('/').at(-1))
  const { data } = await agent.com.atproto.repo.getRecord({
    repo: did,
    collection: 'app.bsky.feed.post',
    rkey,
  })
  expect(data).toMatchObject({ cid, value: { text: 'a new home' } })
  await agent.com.atproto.identity.updateHandle({ handle: newHandle })
  expect((await agent.com.atproto.identity.resolveHandle({ handle: newHandle })).data.did).toBe(did)
  const document = (await (await fetch(`${peer.plcUrl}/${did}`)).json()) as { alsoKnownAs: string[] }
  expect(document.alsoKnownAs).toEqual([`at://${newHandle}`])
}

function post(agent: AtpAgent, text: string) {
  return agent.post({ text, createdAt: new Date().toISOString() })
}

function isOf(did: string, body: Message['body']): boolean {
  return body['did'] === did || body['repo'] === did
}

async function commitOf({ body }: Message): Promise<Commit> {
  const { root, blocks } = await readCarWithRoot(body['blocks'] as Uint8Array)
  return cborToLexRecord(must(blocks.get(root))) as Commit
}
