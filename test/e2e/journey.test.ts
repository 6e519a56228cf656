import { AppBskyFeedPost, AtpAgent, ComAtprotoRepoApplyWrites } from '@atproto/api'
import { IdResolver, MemoryCache } from '@atproto/identity'
import { type Event, Firehose } from '@atproto/sync'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Stack, type StackFile, startStack } from '../support/stack.ts'
import { until } from '../support/until.ts'

// A picture of one pixel.
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const password = 'a long and quiet password'

let stack: Stack
let file: StackFile

beforeAll(async () => {
  stack = await startStack()
  file = await stack.read()
}, 200_000)

afterAll(async () => {
  await stack[Symbol.asyncDispose]()
}, 70_000)

test('the stack is two hosts of two tenants and one process list', () => {
  expect(file.hosts).toHaveLength(2)
  expect(new Set(file.hosts.map(({ tenant }) => tenant)).size).toBe(2)
  const roles = file.processes.map(({ role }) => role)
  for (const [role, count] of Object.entries({ api: 2, firehose: 2, sequencer: 2, worker: 1 })) {
    expect(
      roles.filter((name) => name === role),
      role,
    ).toHaveLength(count)
  }
})

describe.each([0, 1])('host %i', (index) => {
  // SPEC SYN-4, SYN-12, SYN-14, BL-12
  test('a newcomer signs up, posts, uploads, edits, leaves and returns, and the firehose proves each step', async () => {
    const host = file.hosts[index]!
    await using relay = await subscribe(host.url, file.plcUrl)
    const agent = new AtpAgent({ service: host.url })
    const description = await agent.com.atproto.server.describeServer()
    const domain = description.data.availableUserDomains[0]!
    const handle = `newcomer${domain}`
    await agent.createAccount({ handle, email: `newcomer${index}@example.org`, password })
    const did = agent.assertDid
    expect((await agent.resolveHandle({ handle })).data.did).toBe(did)
    await relay.saw(
      'the account becomes active',
      (event) => event.event === 'account' && event.did === did && event.active,
    )

    const other = new AtpAgent({ service: host.url })
    await other.login({ identifier: handle, password })
    expect(other.session?.did).toBe(did)
    await expect(
      new AtpAgent({ service: host.url }).login({ identifier: handle, password: 'wrong' }),
    ).rejects.toThrow(/Invalid identifier or password/)

    const post = await agent.post({ text: 'hello', createdAt: new Date().toISOString() })
    const reply = await agent.post({
      text: 'again',
      reply: { root: post, parent: post },
      createdAt: new Date().toISOString(),
    })
    const like = await agent.like(post.uri, post.cid)
    const follow = await agent.follow(did)
    for (const { uri } of [post, reply, like, follow]) {
      await relay.saw(`the creation of ${uri}`, (event) => event.event === 'create' && uriOf(event) === uri)
    }

    const { data: upload } = await agent.uploadBlob(png, { encoding: 'image/png' })
    await agent.upsertProfile(() => ({ displayName: 'Newcomer', avatar: upload.blob }))
    await relay.saw(
      'the profile',
      (event) => event.event === 'create' && event.collection === 'app.bsky.actor.profile',
    )
    const served = await agent.com.atproto.sync.getBlob({ did, cid: upload.blob.ref.toString() })
    expect(Buffer.from(served.data)).toEqual(png)
    await agent.upsertProfile((profile) => ({ ...profile, displayName: 'No longer new' }))
    await relay.saw('the profile update', (event) => event.event === 'update' && event.did === did)

    await agent.deletePost(reply.uri)
    await relay.saw(
      'the deletion of the reply',
      (event) => event.event === 'delete' && uriOf(event) === reply.uri,
    )
    await expect(
      agent.com.atproto.repo.getRecord({
        repo: did,
        collection: 'app.bsky.feed.post',
        rkey: reply.uri.split('/').at(-1)!,
      }),
    ).rejects.toMatchObject({ error: 'RecordNotFound' })

    const writes = Array.from({ length: 200 }, (_, n) => ({
      $type: 'com.atproto.repo.applyWrites#create' as const,
      collection: 'app.bsky.feed.post',
      value: { $type: 'app.bsky.feed.post', text: `post ${n}`, createdAt: new Date().toISOString() },
    }))
    const { data: batch } = await agent.com.atproto.repo.applyWrites({ repo: did, writes })
    expect(batch.results?.every(ComAtprotoRepoApplyWrites.isCreateResult)).toBe(true)
    const { data: page } = await agent.com.atproto.repo.listRecords({
      repo: did,
      collection: 'app.bsky.feed.post',
      limit: 100,
    })
    expect(page.records).toHaveLength(100)
    expect(page.records.every(({ value }) => AppBskyFeedPost.isRecord(value))).toBe(true)
    await until(
      () =>
        relay.events.filter(({ event, ...rest }) => event === 'create' && 'did' in rest && rest.did === did)
          .length >= 205,
      {
        what: 'all 200 records of the batch',
      },
    )

    await agent.com.atproto.server.deactivateAccount({})
    await relay.saw(
      'the deactivation',
      (event) => event.event === 'account' && event.did === did && event.status === 'deactivated',
    )
    const stranger = new AtpAgent({ service: host.url })
    await expect(stranger.com.atproto.sync.getLatestCommit({ did })).rejects.toMatchObject({
      error: 'RepoDeactivated',
    })
    await expect(agent.post({ text: 'not now', createdAt: new Date().toISOString() })).rejects.toMatchObject({
      error: 'AccountDeactivated',
    })
    await agent.com.atproto.server.activateAccount()
    await relay.saw('the reactivation', (event) => event.event === 'sync' && event.did === did)
    await agent.post({ text: 'back', createdAt: new Date().toISOString() })

    await agent.com.atproto.server.requestAccountDelete()
    const token = await mailedToken(`newcomer${index}@example.org`)
    await agent.com.atproto.server.deleteAccount({ did, password, token })
    await relay.saw(
      'the deletion',
      (event) => event.event === 'account' && event.did === did && event.status === 'deleted',
    )
    await expect(new AtpAgent({ service: host.url }).login({ identifier: handle, password })).rejects.toThrow(
      /Invalid identifier or password/,
    )
    expect(relay.errors).toEqual([])
  }, 120_000)
})

/** Subscribes as a relay does: every signature and proof is verified, every failure kept. */
async function subscribe(url: string, plcUrl: string) {
  const events: Event[] = []
  const errors: string[] = []
  const firehose = new Firehose({
    service: url.replace(/^http/, 'ws'),
    // The default fetch refuses plain HTTP and loopback, where the local directory is.
    idResolver: new IdResolver({ plcUrl, didCache: new MemoryCache(), fetch: globalThis.fetch }),
    unauthenticatedHandles: true,
    handleEvent: (event) => {
      events.push(event)
    },
    onError: (error) => errors.push(String(error)),
  })
  void firehose.start()
  return {
    events,
    errors,
    saw: (what: string, predicate: (event: Event) => unknown) =>
      until(() => events.some(predicate), { what: `${what} on the firehose; errors: ${errors.join(', ')}` }),
    [Symbol.asyncDispose]: () => firehose.destroy(),
  }
}

function uriOf(event: Extract<Event, { collection: string }>): string {
  return `at://${event.did}/${event.collection}/${event.rkey}`
}

async function mailedToken(recipient: string): Promise<string> {
  return until(
    async () => {
      const mails = (await (await fetch(file.mailUrl)).json()) as { to: string; text: string }[]
      return mails.findLast(({ to }) => to.includes(recipient))?.text.match(/[A-Z2-7]{5}-[A-Z2-7]{5}/)?.[0]
    },
    { what: `mail to ${recipient}` },
  )
}
