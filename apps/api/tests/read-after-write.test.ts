import { gunzipSync, gzipSync } from 'node:zlib'

import { AtpAgent } from '@atproto/api'
import { tidFrom } from '@rookery/syntax'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { type Answering, FakeService, json } from './fake-service.ts'
import { type Answer, TestApi } from './test-api.ts'

const postType = 'app.bsky.feed.post'
const other = { did: 'did:plc:otherotherotherotherothe', handle: 'other.test' }
const cdn = 'https://cdn.test/%s/%s/%s'

let api: TestApi
let appView: FakeService
/** What the AppView answers, by method; a test sets what it needs. */
const answers: Record<string, Answering> = {}
let alice: any
/** Alice's rev that the AppView has come to. */
let seen: string
let oldPost: any

beforeAll(async () => {
  api = await TestApi.start()
  appView = await FakeService.start(api, ['bsky_appview'], {
    '*': (request, response) => {
      const nsid = request.url!.slice('/xrpc/'.length).split('?', 1)[0]!
      return (answers[nsid] ?? json({ error: 'MethodNotImplemented' }, 501))(request, response)
    },
  })
  await api.set('one', { appView: { did: appView.did, url: appView.url, cdnUrlPattern: cdn } })
})
afterAll(async () => {
  await appView[Symbol.asyncDispose]()
  await api[Symbol.asyncDispose]()
})

let accounts = 0
beforeEach(async () => {
  for (const nsid of Object.keys(answers)) delete answers[nsid]
  appView.received.length = 0
  alice = await api.signUp(`alice${accounts++}`)
  oldPost = await write(postType, { text: 'known', createdAt: new Date().toISOString() })
  seen = oldPost.commit.rev
})

async function write(collection: string, record: object, rkey?: string): Promise<any> {
  const input = {
    repo: alice.did,
    collection,
    record: { $type: collection, ...record },
    ...(rkey ? { rkey } : {}),
  }
  const answer = await api.post('com.atproto.repo.createRecord', input, { token: alice.accessJwt })
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  return answer.body
}

const post = (text: string, change: object = {}): Promise<any> =>
  write(postType, { text, createdAt: new Date().toISOString(), ...change })

/** Lets the AppView answer, as of the rev that it has seen. */
function answering(nsid: string, value: unknown, rev = seen): void {
  answers[nsid] = json(value, 200, { 'atproto-repo-rev': rev, 'atproto-content-labelers': 'did:plc:labeler' })
}

function ask(nsid: string, params: Record<string, string> = {}): Promise<Answer> {
  return api.get(nsid, params, { token: alice.accessJwt })
}

const author = () => ({ did: alice.did, handle: alice.handle, displayName: 'Before' })
const view = (uri: string, indexedAt: string, change: object = {}) => ({
  uri,
  cid: oldPost.cid,
  author: other,
  record: { $type: postType, text: 'theirs', createdAt: indexedAt },
  indexedAt,
  ...change,
})
const theirs = (n: number, minutesAgo: number) =>
  view(`at://${other.did}/${postType}/${n}`, new Date(Date.now() - minutesAgo * 60_000).toISOString())
const uris = (answer: Answer) => answer.body.feed.map((item: any) => item.post.uri)

async function uploadImage(): Promise<any> {
  const gif = Buffer.from('R0lGODlhAQABAAAAACw=', 'base64')
  const upload = await api.request(
    { method: 'POST', url: '/xrpc/com.atproto.repo.uploadBlob', payload: gif },
    { token: alice.accessJwt, headers: { 'content-type': 'image/gif' } },
  )
  // The lexicon wants a kind of picture that the bytes need not be for this.
  return upload.body.blob
}

describe('a profile', () => {
  const profile = 'app.bsky.actor.profile'

  test('shows what the caller wrote since, and nobody else’s', async () => {
    await write(profile, { displayName: 'After' }, 'self')
    answering('app.bsky.actor.getProfile', { ...author(), description: 'gone', viewer: { muted: false } })
    const own = await ask('app.bsky.actor.getProfile', { actor: alice.did })
    expect(own.body).toEqual({
      did: alice.did,
      handle: alice.handle,
      displayName: 'After',
      viewer: { muted: false },
    })
    answering('app.bsky.actor.getProfiles', { profiles: [{ ...other, displayName: 'Other' }, author()] })
    const several = await ask('app.bsky.actor.getProfiles', { actors: alice.did })
    expect(several.body.profiles).toEqual([
      { ...other, displayName: 'Other' },
      { did: alice.did, handle: alice.handle, displayName: 'After' },
    ])
  })

  test('tells how far the AppView is behind, and keeps what the AppView told of labels', async () => {
    await write(profile, { displayName: 'After' }, 'self')
    answering('app.bsky.actor.getProfile', author())
    const { headers } = await ask('app.bsky.actor.getProfile', { actor: alice.did })
    expect(String(headers['atproto-upstream-lag'])).toMatch(/^\d+$/)
    expect(headers['atproto-content-labelers']).toBe('did:plc:labeler')
    expect(headers['atproto-repo-rev']).toBe(seen)
  })

  test('is the AppView’s own where that has seen everything', async () => {
    const { commit } = await write(profile, { displayName: 'After' }, 'self')
    answering('app.bsky.actor.getProfile', author(), commit.rev)
    const answer = await ask('app.bsky.actor.getProfile', { actor: alice.did })
    expect(answer.body).toEqual(author())
    expect(answer.headers).not.toHaveProperty('atproto-upstream-lag')
  })

  test('links to images at the CDN, or here if the tenant names none', async () => {
    const blob = await uploadImage()
    const image = { ...blob, mimeType: 'image/png' }
    await api.db.pool.query(
      `update blob set mime_type = 'image/png' where account_id = (select id from account where did = $1)`,
      [alice.did],
    )
    await write(profile, { displayName: 'After', avatar: image, banner: image }, 'self')
    answering('app.bsky.actor.getProfile', author())
    const cid = blob.ref.$link
    expect((await ask('app.bsky.actor.getProfile', { actor: alice.did })).body).toMatchObject({
      avatar: `https://cdn.test/avatar/${alice.did}/${cid}`,
      banner: `https://cdn.test/banner/${alice.did}/${cid}`,
    })
    await api.set('one', { appView: { did: appView.did, url: appView.url } })
    const { avatar } = (await ask('app.bsky.actor.getProfile', { actor: alice.did })).body
    expect(avatar).toBe(
      `https://one.test/xrpc/com.atproto.sync.getBlob?${new URLSearchParams({ did: alice.did, cid }).toString()}`,
    )
    await api.set('one', { appView: { did: appView.did, url: appView.url, cdnUrlPattern: cdn } })
  })
})

describe('a timeline', () => {
  const timeline = 'app.bsky.feed.getTimeline'

  test('has the latest posts where their time puts them, once', async () => {
    const [first, second] = [await post('first'), await post('second')]
    answering(timeline, {
      cursor: 'next',
      feed: [
        { post: theirs(1, -5) },
        { post: theirs(2, 5) },
        { post: view(first.uri, new Date(0).toISOString()) },
      ],
    })
    const answer = await ask(timeline)
    expect(uris(answer)).toEqual([theirs(1, 0).uri, second.uri, theirs(2, 0).uri, first.uri])
    expect(answer.body.cursor).toBe('next')
    expect(answer.body.feed[1].post).toMatchObject({
      cid: second.cid,
      author: { did: alice.did, handle: alice.handle },
      record: { text: 'second' },
      likeCount: 0,
      replyCount: 0,
    })
  })

  test('leaves out what is older than the page, and all of it on later pages', async () => {
    await post('new')
    answering(timeline, { feed: [{ post: theirs(1, -10) }, { post: theirs(2, -5) }] })
    expect(uris(await ask(timeline))).toHaveLength(2)
    answering(timeline, { feed: [{ post: theirs(3, 50) }] })
    expect(uris(await ask(timeline, { cursor: 'next' }))).toHaveLength(1)
    expect(uris(await ask(timeline))).toHaveLength(2)
  })

  test('is for the official client what the lexicon says', async () => {
    await post('new')
    answering(timeline, { feed: [{ post: theirs(1, 5) }] })
    const answer = await ask(timeline)
    expect(() => api.pods[0]!.deps.lexicons.validateOutput(timeline, answer.body)).not.toThrow()
    const agent = new AtpAgent({
      service: 'http://one.test',
      fetch: () => Promise.resolve(Response.json(answer.body)),
    })
    expect((await agent.getTimeline()).data.feed).toHaveLength(2)
  })

  test('of a repo that has nothing as old as the rev is as the AppView has it', async () => {
    await post('new')
    answering(timeline, { feed: [] }, tidFrom(1_000_000, 0))
    expect((await ask(timeline)).body).toEqual({ feed: [] })
  })

  test('shows nothing that was taken down', async () => {
    const bad = await post('bad')
    const subject = { $type: 'com.atproto.repo.strongRef', uri: bad.uri, cid: bad.cid }
    await api.post(
      'com.atproto.admin.updateSubjectStatus',
      { subject, takedown: { applied: true, ref: 'x' } },
      { admin: true },
    )
    answering(timeline, { feed: [] })
    expect((await ask(timeline)).body).toEqual({ feed: [] })
  })
})

describe('an author’s feed', () => {
  const feed = 'app.bsky.feed.getAuthorFeed'

  test('of the caller has its profile and its latest posts, by handle too, even if it had none', async () => {
    await write('app.bsky.actor.profile', { displayName: 'After' }, 'self')
    const latest = await post('latest')
    answering(feed, { feed: [{ post: view(oldPost.uri, new Date(0).toISOString(), { author: author() }) }] })
    for (const actor of [alice.did, alice.handle.toUpperCase()]) {
      const answer = await ask(feed, { actor })
      expect(uris(answer)).toEqual([latest.uri, oldPost.uri])
      expect(answer.body.feed.map((item: any) => item.post.author.displayName)).toEqual(['After', 'After'])
    }
    answering(feed, { feed: [] })
    expect(uris(await ask(feed, { actor: alice.did }))).toEqual([latest.uri])
  })

  test('of somebody else is left alone', async () => {
    await post('latest')
    answering(feed, { feed: [{ post: theirs(1, 5) }] })
    expect(uris(await ask(feed, { actor: other.did }))).toEqual([theirs(1, 0).uri])
  })

  test('has of the latest posts those that its filter lets through', async () => {
    const own = { uri: oldPost.uri, cid: oldPost.cid }
    const root = { uri: `at://${other.did}/${postType}/1`, cid: oldPost.cid }
    const plain = await post('plain')
    const inOwn = await post('in own thread', { reply: { root: own, parent: own } })
    const inTheirs = await post('in their thread', { reply: { root, parent: root } })
    answering(feed, { feed: [] })
    const shown = async (filter: string) => uris(await ask(feed, { actor: alice.did, filter }))
    expect(await shown('posts_with_replies')).toEqual([inTheirs.uri, inOwn.uri, plain.uri])
    expect(await shown('posts_and_author_threads')).toEqual([inOwn.uri, plain.uri])
    expect(await shown('posts_no_replies')).toEqual([plain.uri])
    expect(await shown('posts_with_media')).toEqual([])
    expect(await shown('posts_with_video')).toEqual([])
  })

  test('of likes has the caller’s profile', async () => {
    await write('app.bsky.actor.profile', { displayName: 'After' }, 'self')
    const likes = 'app.bsky.feed.getActorLikes'
    answering(likes, {
      feed: [
        { post: view(oldPost.uri, new Date(0).toISOString(), { author: author() }) },
        { post: theirs(1, 5) },
      ],
    })
    const answer = await ask(likes, { actor: alice.did })
    expect(answer.body.feed.map((item: any) => item.post.author.displayName)).toEqual(['After', undefined])
  })
})

describe('a thread', () => {
  const thread = 'app.bsky.feed.getPostThread'
  const threadType = 'app.bsky.feed.defs#threadViewPost'
  const top = () => ({ $type: threadType, post: view(oldPost.uri, new Date(0).toISOString()), replies: [] })
  const ref = ({ uri, cid }: any) => ({ uri, cid })

  test('has the latest replies, and replies to those', async () => {
    const [one] = [await post('one', { reply: { root: ref(oldPost), parent: ref(oldPost) } })]
    const two = await post('two', { reply: { root: ref(oldPost), parent: ref(one) } })
    await post('elsewhere')
    answering(thread, { thread: top() })
    const { body } = await ask(thread, { uri: oldPost.uri })
    expect(body.thread.replies).toMatchObject([
      { post: { uri: one.uri }, replies: [{ post: { uri: two.uri } }] },
    ])
    expect(body.thread.replies).toHaveLength(1)
    expect(() => api.pods[0]!.deps.lexicons.validateOutput(thread, body)).not.toThrow()
    answering(thread, body)
    expect((await ask(thread, { uri: oldPost.uri })).body).toEqual(body)
  })

  test('of a post that the AppView does not know is made here, with what it answers to', async () => {
    const one = await post('one', { reply: { root: ref(oldPost), parent: ref(oldPost) } })
    const two = await post('two', { reply: { root: ref(oldPost), parent: ref(one) } })
    const missing = json({ error: 'NotFound', message: 'Post not found' }, 400, { 'atproto-repo-rev': seen })
    answers[thread] = (request, response) =>
      (request.url!.includes(encodeURIComponent(oldPost.uri)) ? json({ thread: top() }) : missing)(
        request,
        response,
      )
    for (const uri of [one.uri, one.uri.replace(alice.did, alice.handle)]) {
      const answer = await ask(thread, { uri })
      expect(answer).toMatchObject({
        status: 200,
        body: {
          thread: {
            post: { uri: one.uri },
            parent: { post: { uri: oldPost.uri } },
            replies: [{ post: { uri: two.uri } }],
          },
        },
      })
      expect(String(answer.headers['atproto-upstream-lag'])).toMatch(/^\d+$/)
    }
    const elsewhere = await ask(thread, { uri: `at://${other.did}/${postType}/1` })
    expect(elsewhere).toMatchObject({ status: 400, body: { error: 'NotFound' } })
    answers[thread] = missing
    expect((await ask(thread, { uri: one.uri })).body.thread).not.toHaveProperty('parent')
  })

  test('shows what the replies embed', async () => {
    const blob = await uploadImage()
    await api.db.pool.query(
      `update blob set mime_type = 'image/png' where account_id = (select id from account where did = $1)`,
      [alice.did],
    )
    const image = { ...blob, mimeType: 'image/png' }
    const reply = { root: ref(oldPost), parent: ref(oldPost) }
    const images = {
      $type: 'app.bsky.embed.images',
      images: [{ image, alt: 'words', aspectRatio: { width: 1, height: 2 } }],
    }
    const quoted = theirs(7, 5)
    const record = { $type: 'app.bsky.embed.record', record: { uri: quoted.uri, cid: oldPost.cid } }
    await post('images', { reply, embed: images })
    await post('link', {
      reply,
      embed: {
        $type: 'app.bsky.embed.external',
        external: { uri: 'https://a.test', title: 't', description: 'd', thumb: image },
      },
    })
    await post('quote', { reply, embed: record })
    await post('both', { reply, embed: { $type: 'app.bsky.embed.recordWithMedia', media: images, record } })
    answering(thread, { thread: top() })
    answers['app.bsky.feed.getPosts'] = json({ posts: [quoted] })
    const { body } = await ask(thread, { uri: oldPost.uri })
    const url = (variant: string) => `https://cdn.test/${variant}/${alice.did}/${blob.ref.$link}`
    const imagesView = {
      $type: 'app.bsky.embed.images#view',
      images: [
        {
          thumb: url('feed_thumbnail'),
          fullsize: url('feed_fullsize'),
          alt: 'words',
          aspectRatio: { width: 1, height: 2 },
        },
      ],
    }
    const recordView = {
      $type: 'app.bsky.embed.record#view',
      record: {
        $type: 'app.bsky.embed.record#viewRecord',
        uri: quoted.uri,
        author: other,
        value: { text: 'theirs' },
      },
    }
    expect(body.thread.replies.map((each: any) => each.post.embed)).toMatchObject([
      { $type: 'app.bsky.embed.recordWithMedia#view', media: imagesView, record: recordView },
      recordView,
      { $type: 'app.bsky.embed.external#view', external: { title: 't', thumb: url('feed_thumbnail') } },
      imagesView,
    ])
    expect(() => api.pods[0]!.deps.lexicons.validateOutput(thread, body)).not.toThrow()
    expect((await appView.verifyToken(api, 'app.bsky.feed.getPosts')).iss).toBe(alice.did)
  })
})

describe('whatever goes wrong, the AppView’s own answer is given', () => {
  const timeline = 'app.bsky.feed.getTimeline'

  test.each([
    ['it is not what it should be', json({ feed: [{ post: null }] }, 200), '{"feed":[{"post":null}]}'],
    ['it is no JSON after all', (_: unknown, r: any) => r.end('{"feed":'), '{"feed":'],
  ])('if %s', async (_, answer, text) => {
    await post('new')
    answers[timeline] = (request, response) => {
      response.setHeader('atproto-repo-rev', seen)
      return answer(request, response)
    }
    const { pods } = api
    const got = await pods[0]!.app.inject({
      url: `/xrpc/${timeline}`,
      headers: { host: 'one.test', authorization: `Bearer ${alice.accessJwt}` },
    })
    expect([got.statusCode, got.payload]).toEqual([200, text])
    expect(got.headers).not.toHaveProperty('atproto-upstream-lag')
  })

  test.each(['', 'not-a-rev'])('if its rev is %j', async (rev) => {
    await post('new')
    answering(timeline, { feed: [] }, rev)
    expect((await ask(timeline)).body).toEqual({ feed: [] })
  })

  test('if it is an error', async () => {
    await post('new')
    answers[timeline] = json({ error: 'Busy', message: 'later' }, 429, {
      'atproto-repo-rev': seen,
      'retry-after': '3',
    })
    expect(await ask(timeline)).toMatchObject({
      status: 429,
      body: { error: 'Busy' },
      headers: { 'retry-after': '3' },
    })
  })

  test('if what a post quotes cannot be asked for', async () => {
    const quoted = { uri: `at://${other.did}/${postType}/1`, cid: oldPost.cid }
    await post('quote', { embed: { $type: 'app.bsky.embed.record', record: quoted } })
    answering(timeline, { feed: [] })
    expect((await ask(timeline)).body).toEqual({ feed: [] })
  })
})

describe('compression', () => {
  const timeline = 'app.bsky.feed.getTimeline'

  test('of the AppView’s answer is undone to add to it, and kept otherwise', async () => {
    const packed: Answering = (_request, response) => {
      const headers = {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'atproto-repo-rev': seen,
      }
      response.writeHead(200, headers).end(gzipSync('{"feed":[]}'))
    }
    answers[timeline] = packed
    const inject = () =>
      api.pods[0]!.app.inject({
        url: `/xrpc/${timeline}`,
        headers: { host: 'one.test', authorization: `Bearer ${alice.accessJwt}`, 'accept-encoding': 'gzip' },
      })
    const untouched = await inject()
    expect(untouched.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(untouched.rawPayload).toString()).toBe('{"feed":[]}')
    await post('x'.repeat(300), { tags: ['a'.repeat(60), 'b'.repeat(60)] })
    await post('y'.repeat(300))
    const touched = await inject()
    const encoding = touched.headers['content-encoding']
    const bytes = encoding === 'gzip' ? gunzipSync(touched.rawPayload) : touched.rawPayload
    expect(JSON.parse(bytes.toString()).feed).toHaveLength(2)
  })

  test.each(['invalid', 'invalid, *;q=0', ';q=1'])('is none for who asks for %j', async (accepted) => {
    answering(timeline, { feed: [] })
    await post('z'.repeat(300), { tags: ['a'.repeat(60), 'b'.repeat(60)] })
    await post('z'.repeat(300), { tags: ['c'.repeat(60), 'd'.repeat(60)] })
    const { status, body, headers } = await api.get(
      timeline,
      {},
      { token: alice.accessJwt, headers: { 'accept-encoding': accepted } },
    )
    expect(status).toBe(200)
    expect(body.feed).not.toEqual([])
    expect(headers).not.toHaveProperty('content-encoding')
  })

  test('is not asked for by who does not take it', async () => {
    answering(timeline, { feed: [] })
    await ask(timeline)
    expect(appView.last.headers['accept-encoding']).toBe('identity')
  })
})
