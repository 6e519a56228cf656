import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Answer, TestApi } from './test-api.ts'

type Session = { did: string; handle: string; accessJwt: string }
type Listed = { uri: string; cid: string; value: { n: number } }

const repo = 'com.atproto.repo'
const pages = 'com.example.page'
let api: TestApi
let alice: Session

beforeAll(async () => {
  api = await TestApi.start()
  alice = await api.signUp('alice')
})
afterAll(() => api[Symbol.asyncDispose]())

async function create(collection: string, record: object, as = alice): Promise<{ uri: string; cid: string }> {
  const input = { repo: as.did, collection, record }
  const { status, body } = await api.post(`${repo}.createRecord`, input, { token: as.accessJwt })
  expect([status, body]).toEqual([200, body])
  return body
}

const list = (params: Record<string, string>): Promise<Answer> =>
  api.get(`${repo}.listRecords`, { repo: alice.did, collection: pages, ...params })

// SPEC XR-6
describe('listRecords', () => {
  const created: { uri: string; cid: string }[] = []
  beforeAll(async () => {
    for (let n = 0; n < 5; n++) created.push(await create(pages, { n }))
  })

  async function pageThrough(params: Record<string, string>): Promise<Listed[]> {
    const found: Listed[] = []
    for (let cursor: string | undefined; ;) {
      const { body } = await list({ ...params, limit: '2', ...(cursor === undefined ? {} : { cursor }) })
      expect(body.records.length).toBeLessThanOrEqual(2)
      found.push(...body.records)
      if (body.cursor === undefined) return found
      cursor = body.cursor
    }
  }

  test('gives the newest first, and the oldest first in reverse', async () => {
    const down = (await list({})).body
    expect(down.records).toEqual(
      created.map(({ uri, cid }, n) => ({ uri, cid, value: { $type: pages, n } })).toReversed(),
    )
    const up = (await list({ reverse: 'true' })).body
    expect(up.records).toEqual(down.records.toReversed())
  })

  test.each(['false', 'true'])('gives by pages what it gives at once, reverse: %s', async (reverse) => {
    expect(await pageThrough({ reverse })).toEqual((await list({ reverse })).body.records)
  })

  test('gives a cursor while there may be more, and none at the end', async () => {
    expect((await list({ limit: '3' })).body.cursor).toBe(created[2]?.uri.split('/').at(-1))
    expect((await list({})).body.cursor).toBeUndefined()
    expect((await list({ cursor: '2' })).body).toEqual({ records: [] })
  })

  test('gives 50 records unless told otherwise, and no more than 100', async () => {
    for (const limit of ['0', '101', 'many']) {
      expect(await list({ limit })).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    }
    const writes = Array.from({ length: 101 }, (_, n) => ({
      $type: `${repo}.applyWrites#create`,
      collection: 'com.example.many',
      value: { n },
    }))
    await api.post(`${repo}.applyWrites`, { repo: alice.did, writes }, { token: alice.accessJwt })
    const many = (limit: object) => list({ collection: 'com.example.many', ...limit })
    expect((await many({})).body.records).toHaveLength(50)
    expect((await many({ limit: '100' })).body.records).toHaveLength(100)
  })

  test('knows no repo of nobody, and nothing of a collection that is not there', async () => {
    const nobody = await list({ repo: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' })
    expect(nobody).toMatchObject({ status: 400, body: { error: 'RepoNotFound' } })
    expect((await list({ collection: 'com.example.none' })).body).toEqual({ records: [] })
  })
})

describe('describeRepo', () => {
  test('names the account, its document and its collections, by DID and by handle', async () => {
    const bob: Session = await api.signUp('bob')
    await create('com.example.b', {}, bob)
    await create('com.example.a', {}, bob)
    for (const name of [bob.did, bob.handle]) {
      const { body } = await api.get(`${repo}.describeRepo`, { repo: name })
      expect(body).toMatchObject({ did: bob.did, handle: 'bob.one.test', handleIsCorrect: true })
      expect(body.didDoc.id).toBe(bob.did)
      expect(body.collections).toEqual(['com.example.a', 'com.example.b'])
    }
    expect(await api.get(`${repo}.describeRepo`, { repo: 'nobody.one.test' })).toMatchObject({
      status: 400,
      body: { error: 'RepoNotFound' },
    })
  })
})

// SPEC EP-2
describe('an account that is taken down', () => {
  test('shows none of its records until it is restored', async () => {
    const carol: Session = await api.signUp('carol')
    const { uri } = await create(pages, { n: 1 }, carol)
    const setTakedown = (applied: boolean) =>
      api.post(
        'com.atproto.admin.updateSubjectStatus',
        {
          subject: { $type: 'com.atproto.admin.defs#repoRef', did: carol.did },
          takedown: { applied },
        },
        { admin: true },
      )
    const reads = (): Promise<Answer>[] => {
      const params = { repo: carol.did, collection: pages }
      return [
        list(params),
        api.get(`${repo}.getRecord`, { ...params, rkey: uri.split('/').at(-1)! }),
        api.get(`${repo}.describeRepo`, { repo: carol.did }),
      ]
    }
    await setTakedown(true)
    for (const answer of await Promise.all(reads())) {
      expect(answer).toMatchObject({ status: 400, body: { error: 'RepoTakendown' } })
    }
    await setTakedown(false)
    expect((await Promise.all(reads())).map(({ status }) => status)).toEqual([200, 200, 200])
  })
})

// SPEC BL-3, BL-4
describe('a blob', () => {
  test.each(['app.bsky.feed.post', 'com.example.album'])(
    'is served once a record of %s refers to it, and the record gives the reference back',
    async (collection) => {
      const uploaded = await api.request(
        {
          method: 'POST',
          url: `/xrpc/${repo}.uploadBlob`,
          payload: Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><!--${collection}--></svg>`),
        },
        { token: alice.accessJwt, headers: { 'content-type': 'image/svg+xml' } },
      )
      const { blob } = uploaded.body
      const served = () => api.get('com.atproto.sync.getBlob', { did: alice.did, cid: blob.ref.$link })
      expect(await served()).toMatchObject({ status: 400, body: { error: 'BlobNotFound' } })
      const images = [{ image: blob, alt: '' }]
      const record = {
        text: 'look',
        createdAt: '2026-11-20T12:00:00.000Z',
        embed: { $type: 'app.bsky.embed.images', images },
      }
      const { uri } = await create(collection, record)
      const rkey = uri.split('/').at(-1)!
      const found = await api.get(`${repo}.getRecord`, { repo: alice.did, collection, rkey })
      expect(found.body.value.embed.images).toEqual(images)
      expect((await served()).status).toBe(200)
    },
  )
})
