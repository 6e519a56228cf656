import { AtpAgent } from '@atproto/api'
import { request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type Stack, type StackFile, startStack } from '../support/stack.ts'
import { Subscriber } from '../support/subscriber.ts'
import { until } from '../support/until.ts'

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

async function signUp(hostIndex: number, name: string): Promise<AtpAgent> {
  const agent = new AtpAgent({ service: file.hosts[hostIndex]!.url })
  const { data } = await agent.com.atproto.server.describeServer()
  await agent.createAccount({
    handle: `${name}${data.availableUserDomains[0]}`,
    email: `${name}@example.org`,
    password,
  })
  return agent
}

function pods(): string[] {
  return file.processes.filter(({ role }) => role === 'firehose').map(({ url }) => url!)
}

function post(agent: AtpAgent, text: string) {
  return agent.post({ text, createdAt: new Date().toISOString() })
}

test('two pods send byte-identical streams of one host, and nothing of the other', async () => {
  const [first, second] = pods()
  const host = file.hosts[0]!.hostname
  await using one = new Subscriber(first!, { host, cursor: 0 })
  await using two = new Subscriber(second!, { host, cursor: 0 })
  await Promise.all([one.opened, two.opened])
  const [here, there] = [await signUp(0, 'stream-here'), await signUp(1, 'stream-there')]
  for (let n = 0; n < 20; n++) await Promise.all([post(here, `here ${n}`), post(there, `there ${n}`)])
  const { data: head } = await here.com.atproto.sync.getLatestCommit({ did: here.assertDid })
  const isComplete = (subscriber: Subscriber) => subscriber.messages.at(-1)?.body['rev'] === head.rev
  await until(() => isComplete(one) && isComplete(two), { what: 'both pods to reach the last commit' })
  expect(Buffer.concat(two.messages.map(({ bytes }) => bytes))).toEqual(
    Buffer.concat(one.messages.map(({ bytes }) => bytes)),
  )
  const dids = one.messages.map(({ body }) => body['repo'] ?? body['did'])
  expect(dids).not.toContain(there.assertDid)
  expect(dids.filter((did) => did === here.assertDid).length).toBeGreaterThanOrEqual(22)
})

test('a cursor of one pod resumes on the other with no gap and no duplicate', async () => {
  const [first, second] = pods()
  const host = file.hosts[0]!.hostname
  const agent = await signUp(0, 'resume')
  await using whole = new Subscriber(first!, { host, cursor: 0 })
  await until(() => whole.messages.some(({ body }) => body['did'] === agent.assertDid), {
    what: 'the account',
  })
  const seen: number[] = []
  let cursor = whole.lastSeq
  const from = cursor
  for (let round = 0; round < 6; round++) {
    await using part = new Subscriber(round % 2 === 0 ? second! : first!, { host, cursor })
    const posts = await Promise.all([1, 2, 3].map((n) => post(agent, `round ${round} post ${n}`)))
    await until(() => part.messages.length >= posts.length, { what: `the posts of round ${round}` })
    seen.push(...part.messages.map(({ seq }) => seq))
    cursor = part.lastSeq
  }
  await until(() => whole.lastSeq >= cursor, { what: 'the first subscriber to catch up' })
  expect(seen).toEqual(whole.messages.map(({ seq }) => seq).filter((seq) => seq > from && seq <= cursor))
})

test('twenty writers of one repo through two pods make one line of history', async () => {
  const agent = await signUp(0, 'crowd')
  await using subscriber = new Subscriber(file.hosts[0]!.url, { cursor: 0 })
  const apis = file.processes.filter(({ role }) => role === 'api').map(({ url }) => url!)
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      // Node's own fetch would not send another Host.
      request(`${apis[n % apis.length]}/xrpc/com.atproto.repo.createRecord`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${agent.session!.accessJwt}`,
          host: file.hosts[0]!.hostname,
        },
        body: JSON.stringify({
          repo: agent.assertDid,
          collection: 'app.bsky.feed.post',
          record: { $type: 'app.bsky.feed.post', text: `writer ${n}`, createdAt: new Date().toISOString() },
        }),
      }).then(async ({ statusCode, body }) => ({
        status: statusCode,
        body: (await body.json()) as { commit: { rev: string } },
      })),
    ),
  )
  expect(results.map(({ status }) => status)).toEqual(results.map(() => 200))
  const revs = new Set(results.map(({ body }) => body.commit.rev))
  const isThere = () =>
    subscriber.messages.filter(
      ({ body }) => revs.has(String(body['rev'])) && body['repo'] === agent.assertDid,
    )
  await until(() => isThere().length >= revs.size, { what: 'all commits' })
  const { data } = await agent.com.atproto.repo.listRecords({
    repo: agent.assertDid,
    collection: 'app.bsky.feed.post',
  })
  expect(new Set(data.records.map(({ value }) => value['text'])).size).toBe(20)
})

test('of twenty sign-ups for one handle exactly one wins', async () => {
  const service = file.hosts[0]!.url
  const { data } = await new AtpAgent({ service }).com.atproto.server.describeServer()
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      new AtpAgent({ service })
        .createAccount({
          handle: `wanted${data.availableUserDomains[0]}`,
          email: `wanted${n}@example.org`,
          password,
        })
        .then(
          () => 'won',
          (error: { error?: string }) => error.error,
        ),
    ),
  )
  expect(outcomes.filter((outcome) => outcome === 'won')).toHaveLength(1)
  expect(outcomes.filter((outcome) => outcome === 'HandleNotAvailable')).toHaveLength(19)
})

test('a cursor from the future is refused, one from before the log is told so', async () => {
  const host = file.hosts[0]!.hostname
  const future = (Date.now() + 3_600_000) * 1_000
  await using ahead = new Subscriber(pods()[0]!, { host, cursor: future })
  await ahead.closed
  expect(ahead.notices).toMatchObject([{ name: 'FutureCursor' }])
  expect(ahead.messages).toEqual([])
})
