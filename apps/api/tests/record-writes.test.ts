import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Answer, TestApi } from './test-api.ts'

type Session = { did: string; handle: string; accessJwt: string }

const repo = 'com.atproto.repo'
const posts = 'app.bsky.feed.post'
const things = 'com.example.thing'
const createdAt = '2026-11-20T12:00:00.000Z'
const otherCid = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'
const profile = { collection: 'app.bsky.actor.profile', rkey: 'self' }
let api: TestApi
let alice: Session
let bob: Session

beforeAll(async () => {
  api = await TestApi.start()
  alice = await api.signUp('alice')
  bob = await api.signUp('bob')
})
afterAll(() => api[Symbol.asyncDispose]())

/** Calls a method that writes, as alice unless told otherwise. */
function write(method: string, input: object, as = alice): Promise<Answer> {
  return api.post(`${repo}.${method}`, { repo: as.did, ...input }, { token: as.accessJwt })
}

/** The same, when it must succeed. */
async function written(method: string, input: object, as = alice): Promise<any> {
  const { status, body } = await write(method, input, as)
  expect([status, body]).toEqual([200, body])
  return body
}

const createPost = (text: string, change: object = {}) =>
  written('createRecord', { collection: posts, record: { text, createdAt }, ...change })

const rkeyOf = (uri: string) => uri.split('/').at(-1)!

function get(path: { collection: string; rkey: string }, as = alice): Promise<Answer> {
  return api.get(`${repo}.getRecord`, { repo: as.did, ...path })
}

async function head(as = alice): Promise<{ cid: string; rev: string }> {
  return (await api.get('com.atproto.sync.getLatestCommit', { did: as.did })).body
}

async function countOf(collection: string, as = alice): Promise<number> {
  return (await api.get(`${repo}.listRecords`, { repo: as.did, collection, limit: '100' })).body.records
    .length
}

describe('a record', () => {
  // SPEC DM-13
  test('has the $type of its collection, whether it says so or not', async () => {
    const { uri } = await createPost('untyped')
    const found = await get({ collection: posts, rkey: rkeyOf(uri) })
    expect(found.body.value).toEqual({ $type: posts, text: 'untyped', createdAt })
  })

  test('keeps fields of the lexicon that carry lists and facets, and those that it does not know', async () => {
    const facets = [
      {
        index: { byteStart: 6, byteEnd: 12 },
        features: [{ $type: 'app.bsky.richtext.facet#tag', tag: 'world' }],
      },
    ]
    const record = {
      text: 'hello #world',
      tags: ['javascript', 'hehe'],
      facets,
      createdAt,
      'com.example.x': { y: [1] },
    }
    const { uri } = await createPost('', { record })
    const found = await get({ collection: posts, rkey: rkeyOf(uri) })
    expect(found.body.value).toEqual({ $type: posts, ...record })
  })

  // SPEC DM-4
  test('keeps null, false and an absent field apart', async () => {
    const record = { nothing: null, no: false, empty: '' }
    const { uri } = await written('createRecord', { collection: things, record })
    const found = await get({ collection: things, rkey: rkeyOf(uri) })
    expect(found.body.value).toEqual({ $type: things, ...record })
    const reply = await write('createRecord', {
      collection: posts,
      record: { text: 'x', createdAt, reply: null },
    })
    expect(reply).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
  })

  // SPEC DM-11
  test('has the last of the values that JSON gives one field, and the CID of that', async () => {
    const input = JSON.stringify({ repo: alice.did, collection: things, rkey: 'twice', record: { a: 1 } })
    const send = (payload: string) =>
      api.request(
        { method: 'POST', url: `/xrpc/${repo}.putRecord`, payload },
        { token: alice.accessJwt, headers: { 'content-type': 'application/json' } },
      )
    const { cid } = (await send(input)).body
    const twice = await send(input.replace('{"a":1}', '{"a":2,"a":1}'))
    expect(twice).toMatchObject({ status: 200, body: { cid } })
    expect((await get({ collection: things, rkey: 'twice' })).body.value.a).toBe(1)
  })

  // SPEC ID-6
  test('is of the collection whose name has the same case', async () => {
    const lower = { collection: 'com.example.casename', rkey: 'same' }
    const upper = { ...lower, collection: 'com.example.caseName' }
    await written('createRecord', { ...upper, record: { n: 1 } })
    expect((await get(lower)).body.error).toBe('RecordNotFound')
    await written('createRecord', { ...lower, record: { n: 2 } })
    expect((await get(upper)).body.value).toEqual({ $type: upper.collection, n: 1 })
  })

  test('is at an AT-URI of the DID, whatever name the repo was given by', async () => {
    const rkey = '3m5aaaaaaaaa2'
    const record = { subject: bob.did, createdAt }
    const input = { repo: alice.handle, collection: 'app.bsky.graph.follow', rkey, record }
    expect((await written('putRecord', input)).uri).toBe(`at://${alice.did}/app.bsky.graph.follow/${rkey}`)
  })

  // SPEC WR-5, LEX-1, LEX-13
  test.each([
    ['valid', { collection: posts, record: { text: 'x', createdAt } }],
    ['unknown', { collection: things, record: { blah: 'thing' } }],
    [undefined, { collection: things, record: { blah: 'thing' }, validate: false }],
    [undefined, { collection: posts, record: { text: 3 }, validate: false }],
    ['valid', { collection: posts, record: { text: 'x', createdAt }, validate: true }],
  ])('is answered with the validation status %s', async (status, input) => {
    const created = await written('createRecord', input)
    expect(created.validationStatus).toBe(status)
    const path = { collection: input.collection, rkey: rkeyOf(created.uri) }
    expect((await get(path)).body.value).toEqual({ $type: input.collection, ...input.record })
    const put = await written('putRecord', { ...input, ...path, record: { ...input.record, more: 1 } })
    expect(put.validationStatus).toBe(status)
    expect((await get(path)).body.value.more).toBe(1)
  })

  // SPEC WR-4, EP-3
  test('of a batch is answered in its place, a delete without anything', async () => {
    const [updated, deleted] = [
      await written('createRecord', { collection: things, record: { a: 1 } }),
      await written('createRecord', { collection: things, record: { a: 2 } }),
    ]
    const typed = (action: string) => ({ $type: `${repo}.applyWrites#${action}` })
    const { results, commit } = await written('applyWrites', {
      writes: [
        { ...typed('create'), collection: posts, value: { text: '👋', createdAt } },
        { ...typed('update'), collection: things, rkey: rkeyOf(updated.uri), value: {} },
        { ...typed('delete'), collection: things, rkey: rkeyOf(deleted.uri) },
      ],
    })
    const cid = expect.stringMatching(/^bafyrei/)
    const uri = expect.stringContaining(`at://${alice.did}/${posts}/`)
    expect(results).toEqual([
      { ...typed('createResult'), uri, cid, validationStatus: 'valid' },
      { ...typed('updateResult'), uri: updated.uri, cid, validationStatus: 'unknown' },
      typed('deleteResult'),
    ])
    expect(commit).toEqual(await head())
  })
})

// SPEC DM-2, DM-8, DM-10, DM-13, WR-4, WR-5, WR-6, EP-1, LEX-1, ID-8
describe('a write is refused for', () => {
  test.each<[string, object, string]>([
    ['another $type', { collection: posts, record: { $type: 'app.bsky.feed.like' } }, 'Invalid $type'],
    [
      'another $type, even unvalidated',
      { collection: things, record: { $type: 'com.example.other' }, validate: false },
      'Invalid $type: expected com.example.thing, got',
    ],
    ['a record key of dots', { collection: posts, rkey: '..', record: { text: '', createdAt } }, 'rkey'],
    [
      'a record key that its lexicon does not allow',
      { collection: posts, rkey: 'self', record: { text: '', createdAt } },
      'record key',
    ],
    ['a missing field', { collection: posts, record: { createdAt } }, `Invalid ${posts} record`],
    [
      'an instant that never was',
      { collection: posts, record: { text: 'x', createdAt: '0000-00-12T23:20:50.123Z' } },
      `Invalid ${posts} record`,
    ],
    [
      'a lexicon that must be known and is not',
      { collection: things, record: {}, validate: true },
      `Unknown lexicon type: ${things}`,
    ],
    [
      'a blob of the old form, even unvalidated',
      { collection: things, record: { image: { cid: otherCid, mimeType: 'image/png' } }, validate: false },
      'Legacy blobs are not allowed',
    ],
    ['a float', { collection: things, record: { f: 1.5 } }, ''],
    ['nesting without end', { collection: things, record: { deep: nested(4_000) } }, ''],
  ])('%s', async (_name, input, message) => {
    const before = await head()
    const answer = await write('createRecord', input)
    expect(answer).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    expect(answer.body.message).toContain(message)
    expect(await head()).toEqual(before)
  })

  test('a wrong value by its name, which leaves what was there', async () => {
    await written('putRecord', { ...profile, record: { displayName: 'Alice' } })
    const answer = await write('putRecord', { ...profile, record: { displayName: 'Alice', description: 3 } })
    expect(answer).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    expect(answer.body.message).toContain('description')
    expect((await get(profile)).body.value).toEqual({ $type: profile.collection, displayName: 'Alice' })
  })

  test('an avatar of the old form', async () => {
    const avatar = {
      cid: 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
      mimeType: 'image/png',
    }
    const answer = await write('putRecord', { ...profile, record: { displayName: 'Alice', avatar } })
    expect(answer).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
  })

  test.each(['createRecord', 'putRecord', 'deleteRecord', 'applyWrites'])(
    'the repo of somebody else, by %s',
    async (method) => {
      const path = { collection: things, rkey: 'theirs' }
      const delete_ = { $type: `${repo}.applyWrites#delete`, ...path }
      const answer = await write(method, { repo: bob.did, ...path, record: {}, writes: [delete_] })
      expect(answer).toMatchObject({ status: 401, body: { error: 'AuthenticationRequired' } })
    },
  )

  test('a record key that is taken', async () => {
    const input = { collection: things, rkey: 'taken', record: {} }
    await written('createRecord', input)
    expect(await write('createRecord', input)).toMatchObject({
      status: 400,
      body: { error: 'InvalidRequest' },
    })
  })

  function nested(depth: number): object {
    let value = {}
    for (let n = 0; n < depth; n++) value = { x: value }
    return value
  }
})

describe('putRecord', () => {
  // SPEC WR-4, EP-3
  test('creates, updates, and makes no commit of what is there already', async () => {
    expect((await get(profile, bob)).body).toMatchObject({
      error: 'RecordNotFound',
      message: `Could not locate record: at://${bob.did}/${profile.collection}/self`,
    })
    const put = (record: object) => written('putRecord', { ...profile, record }, bob)
    const created = await put({ displayName: 'Robert' })
    expect(created.uri).toBe(`at://${bob.did}/${profile.collection}/self`)
    const value = { $type: profile.collection, displayName: 'Robert', description: 'Dog lover' }
    const updated = await put(value)
    expect(updated.commit).toEqual(await head(bob))
    expect((await get(profile, bob)).body).toEqual({ uri: created.uri, cid: updated.cid, value })
    const before = await head(bob)
    const again = await put(value)
    expect(again).toEqual({ uri: created.uri, cid: updated.cid, validationStatus: 'valid' })
    expect(await head(bob)).toEqual(before)
  })
})

describe('deleteRecord', () => {
  // SPEC WR-4, EP-3
  test('deletes a record, and does nothing where there is none', async () => {
    const path = { collection: posts, rkey: rkeyOf((await createPost('gone')).uri) }
    expect((await written('deleteRecord', path)).commit).toEqual(await head())
    expect((await get(path)).body).toMatchObject({ error: 'RecordNotFound' })
    const before = await head()
    expect(await written('deleteRecord', path)).toEqual({})
    expect(await head()).toEqual(before)
  })

  // SPEC DIFF-8
  test('leaves a record of the same bytes', async () => {
    const [first, second] = [await createPost('twin'), await createPost('twin')]
    expect(first.cid).toBe(second.cid)
    await written('deleteRecord', { collection: posts, rkey: rkeyOf(first.uri) })
    expect((await get({ collection: posts, rkey: rkeyOf(second.uri) })).body.value.text).toBe('twin')
    const block = await api.get('com.atproto.sync.getBlocks', { did: alice.did, cids: second.cid })
    expect(block.status).toBe(200)
  })
})

// SPEC WR-3
describe('swapCommit', () => {
  const calls: [string, (swapCommit: string) => Promise<Answer>][] = [
    ['createRecord', (swapCommit) => write('createRecord', { collection: things, record: {}, swapCommit })],
    [
      'putRecord',
      (swapCommit) =>
        write('putRecord', { collection: things, rkey: 'swap', record: { swapCommit }, swapCommit }),
    ],
    ['deleteRecord', (swapCommit) => write('deleteRecord', { collection: things, rkey: 'swap', swapCommit })],
    [
      'applyWrites',
      (swapCommit) =>
        write('applyWrites', {
          writes: [{ $type: `${repo}.applyWrites#create`, collection: things, value: {} }],
          swapCommit,
        }),
    ],
  ]

  test.each(calls)('lets %s through at the head that it names, and at no other', async (_method, call) => {
    await written('putRecord', { collection: things, rkey: 'swap', record: {} })
    const stale = (await head()).cid
    await createPost('in between')
    const { cid, rev } = await head()
    expect(await call(stale)).toMatchObject({
      status: 400,
      body: { error: 'InvalidSwap', message: `Commit was at ${cid}` },
    })
    expect((await get({ collection: things, rkey: 'swap' })).status).toBe(200)
    expect((await head()).rev).toBe(rev)
    expect((await call(cid)).body.commit.rev > rev).toBe(true)
  })
})

// SPEC WR-3
describe('swapRecord', () => {
  const path = { collection: things, rkey: 'compare' }
  const put = (n: number, swapRecord: string | null) =>
    write('putRecord', { ...path, record: { n }, swapRecord })

  test('lets putRecord create where null says that there is nothing, and update what it names', async () => {
    const created = await put(1, null)
    expect(created.status).toBe(200)
    expect((await get(path)).body.cid).toBe(created.body.cid)
    const updated = await put(2, created.body.cid)
    expect((await get(path)).body.cid).toBe(updated.body.cid)
    for (const swap of [null, otherCid, created.body.cid]) {
      expect(await put(3, swap)).toMatchObject({
        status: 400,
        body: { error: 'InvalidSwap', message: `Record was at ${updated.body.cid}` },
      })
    }
    expect((await get(path)).body.cid).toBe(updated.body.cid)
  })

  test('lets deleteRecord delete what it names, and nothing else', async () => {
    const { cid } = await written('putRecord', { ...path, record: { n: 4 } })
    const remove = (swapRecord: string) => write('deleteRecord', { ...path, swapRecord })
    expect(await remove(otherCid)).toMatchObject({ status: 400, body: { error: 'InvalidSwap' } })
    expect((await get(path)).status).toBe(200)
    expect((await remove(cid)).status).toBe(200)
    expect((await get(path)).body.error).toBe('RecordNotFound')
  })
})

describe('a second record about the same subject replaces the first', () => {
  const uriOf = (n: number) => `at://${bob.did}/${posts}/3m5aaaaaaaaa${n + 2}`
  const strongRef = (n: number) => ({ subject: { uri: uriOf(n), cid: otherCid } })

  test.each<[string, (n: number) => object]>([
    ['app.bsky.feed.like', strongRef],
    ['app.bsky.feed.repost', strongRef],
    ['app.bsky.graph.block', (n) => ({ subject: n === 0 ? bob.did : 'did:web:third.test' })],
    ['app.bsky.graph.follow', (n) => ({ subject: n === 0 ? bob.did : 'did:web:third.test' })],
  ])('%s', async (collection, about) => {
    const create = (n: number, as = alice) =>
      written('createRecord', { collection, record: { ...about(n), createdAt } }, as)
    const before = await countOf(collection)
    const [first, other, theirs] = [await create(0), await create(1), await create(0, bob)]
    const again = await create(0)
    const status = async ({ uri }: { uri: string }, as = alice) =>
      (await get({ collection, rkey: rkeyOf(uri) }, as)).status
    expect([await status(first), await status(other), await status(again)]).toEqual([400, 200, 200])
    expect(await status(theirs, bob)).toBe(200)
    expect(await countOf(collection)).toBeLessThanOrEqual(before + 2)
    // Who turns validation off gets what was asked for and nothing else.
    await written('createRecord', { collection, record: { ...about(0), createdAt }, validate: false })
    expect(await status(again)).toBe(200)
  })
})
