import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { writeInputBytesMax } from '../src/xrpc/com.atproto.repo/repo-deps.ts'
import { type Answer, TestApi } from './test-api.ts'

let api: TestApi
let alice: { did: string; handle: string; accessJwt: string }
let bob: typeof alice
beforeAll(async () => {
  api = await TestApi.start()
  alice = await api.signUp('alice')
  bob = await api.signUp('bob')
})
afterAll(() => api[Symbol.asyncDispose]())

const createdAt = '2026-11-20T12:00:00.000Z'
const postOf = (text: string) => ({ $type: 'app.bsky.feed.post', text, createdAt })

/** Calls a method of com.atproto.repo that writes, as alice unless told otherwise. */
function write(
  method: string,
  input: object,
  options: { as?: typeof alice; pod?: number } = {},
): Promise<Answer> {
  const { as = alice, pod = 0 } = options
  return api.post(`com.atproto.repo.${method}`, { repo: as.did, ...input }, { token: as.accessJwt, pod })
}

const post = (text: string, change: object = {}) => ({
  collection: 'app.bsky.feed.post',
  record: postOf(text),
  ...change,
})

const read = (method: string, params: Record<string, string>, options: object = {}) =>
  api.get(`com.atproto.repo.${method}`, params, options)

describe('com.atproto.repo', () => {
  // SPEC SYN-11, EP-3
  test('a record is created on one pod and read on the other', async () => {
    const created = await write('createRecord', post('hello'))
    expect(created).toMatchObject({ status: 200, body: { validationStatus: 'valid' } })
    const { uri, cid, commit } = created.body
    api.pods[0]!.deps.lexicons.validateOutput('com.atproto.repo.createRecord', created.body)
    const [, , , collection, rkey] = uri.split('/')
    const params = { repo: alice.handle, collection, rkey }
    const found = await read('getRecord', params, { pod: 1, token: alice.accessJwt })
    expect(found.body).toEqual({ uri, cid, value: postOf('hello') })
    expect(found.headers['atproto-repo-rev']).toBe(commit.rev)
    const other = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'
    expect(await read('getRecord', { ...params, cid })).toMatchObject({ status: 200 })
    expect(await read('getRecord', { ...params, cid: other })).toMatchObject({
      status: 400,
      body: { error: 'RecordNotFound' },
    })
    expect((await read('getRecord', params, { token: 'not a token' })).status).toBe(200)
  })

  test('every method answers as its lexicon says', async () => {
    const { lexicons } = api.pods[0]!.deps
    const path = { collection: 'com.example.thing', rkey: 'answers' }
    const answers: [string, Answer][] = [
      ['putRecord', await write('putRecord', { ...path, record: { a: 1 } })],
      ['deleteRecord', await write('deleteRecord', path)],
      [
        'applyWrites',
        await write('applyWrites', {
          writes: [{ $type: 'com.atproto.repo.applyWrites#create', ...path, value: { a: 1 } }],
        }),
      ],
      [
        'applyWrites',
        await write('applyWrites', {
          writes: [
            { $type: 'com.atproto.repo.applyWrites#update', ...path, value: { a: 2 } },
            { $type: 'com.atproto.repo.applyWrites#delete', ...path, rkey: 'answers2' },
          ].slice(0, 1),
        }),
      ],
      ['getRecord', await read('getRecord', { repo: alice.did, ...path })],
      ['listRecords', await read('listRecords', { repo: alice.did, collection: path.collection })],
      ['describeRepo', await read('describeRepo', { repo: alice.handle })],
    ]
    for (const [method, { status, body }] of answers) {
      expect([method, status, body]).toEqual([method, 200, body])
      lexicons.validateOutput(`com.atproto.repo.${method}`, body)
    }
    expect(answers[2]?.[1].body.results[0].$type).toBe('com.atproto.repo.applyWrites#createResult')
    expect(answers.at(-1)?.[1].body).toMatchObject({
      did: alice.did,
      handle: alice.handle,
      handleIsCorrect: true,
    })
    expect(answers.at(-1)?.[1].body.collections).toContain('com.example.thing')
  })

  // SPEC EP-1
  test('nobody writes a repo but its account', async () => {
    expect(await write('createRecord', post('x', { repo: bob.did }))).toMatchObject({
      status: 401,
      body: { error: 'AuthenticationRequired' },
    })
    expect((await write('createRecord', post('x', { repo: alice.handle.toUpperCase() }))).status).toBe(200)
    const anonymous = await api.post('com.atproto.repo.createRecord', { repo: alice.did, ...post('x') })
    expect(anonymous).toMatchObject({ status: 401, body: { error: 'AuthMissing' } })
  })

  test.each([
    ['a float', 'createRecord', { ...post('x'), record: { ...postOf('x'), f: 1.5 } }, 'InvalidRequest'],
    [
      'a record that breaks its lexicon',
      'createRecord',
      post('x', { record: { text: 3 } }),
      'InvalidRequest',
    ],
    [
      'an unknown lexicon',
      'createRecord',
      { collection: 'a.b.c', record: {}, validate: true },
      'InvalidRequest',
    ],
    [
      'another head',
      'createRecord',
      post('x', { swapCommit: 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm' }),
      'InvalidSwap',
    ],
    [
      'a missing blob',
      'createRecord',
      {
        collection: 'com.example.thing',
        record: {
          blob: {
            $type: 'blob',
            ref: { $link: 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku' },
            mimeType: 'image/png',
            size: 3,
          },
        },
      },
      'BlobNotFound',
    ],
    [
      'an update of what is not there',
      'applyWrites',
      {
        writes: [
          { $type: 'com.atproto.repo.applyWrites#update', collection: 'a.b.c', rkey: 'no', value: {} },
        ],
      },
      'InvalidRequest',
    ],
    [
      'two writes to one path',
      'applyWrites',
      {
        writes: [1, 2].map((value) => ({
          $type: 'com.atproto.repo.applyWrites#create',
          collection: 'a.b.c',
          rkey: 'twice',
          value: { value },
        })),
      },
      'InvalidRequest',
    ],
    [
      'a batch of 201',
      'applyWrites',
      {
        writes: Array.from({ length: 201 }, () => ({
          $type: 'com.atproto.repo.applyWrites#create',
          collection: 'a.b.c',
          value: {},
        })),
      },
      'InvalidRequest',
    ],
  ])('%s is refused', async (_, method, input, error) => {
    expect(await write(method, input)).toMatchObject({ status: 400, body: { error } })
  })

  test('bodies up to writeInputBytesMax are read, larger ones refused', async () => {
    const text = 'x'.repeat(900_000)
    const record = (padding: number) => ({
      collection: 'com.example.thing',
      record: { text },
      pad: 'y'.repeat(padding),
    })
    expect((await write('createRecord', record(1_000_000))).status).toBe(200)
    expect(await write('createRecord', record(writeInputBytesMax))).toMatchObject({
      status: 413,
      body: { error: 'PayloadTooLarge' },
    })
  })

  test('pages go through a collection in both directions', async () => {
    const rkeys = Array.from({ length: 7 }, (_, i) => `k${i}`)
    for (const rkey of rkeys) {
      await write('putRecord', { collection: 'com.example.page', rkey, record: { rkey } }, { as: bob })
    }
    await api.db.pool.query(`update record set takedown_ref = 'x' where rkey = 'k3'`)
    const visible = rkeys.filter((rkey) => rkey !== 'k3')
    for (const reverse of ['false', 'true']) {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await read('listRecords', {
          repo: bob.did,
          collection: 'com.example.page',
          limit: '2',
          reverse,
          ...(cursor === undefined ? {} : { cursor }),
        })
        seen.push(...page.body.records.map(({ value }: { value: { rkey: string } }) => value.rkey))
        cursor = page.body.cursor
      } while (cursor !== undefined)
      expect(seen).toEqual(reverse === 'true' ? visible : visible.toReversed())
    }
    const params = { repo: bob.did, collection: 'com.example.page' }
    expect((await read('listRecords', { ...params, limit: '101' })).status).toBe(400)
    const hidden = await read('getRecord', { ...params, rkey: 'k3' })
    expect(hidden).toMatchObject({ status: 400, body: { error: 'RecordNotFound' } })
  })

  test('nothing of a repo is seen through the other host', async () => {
    const params = { repo: alice.did, collection: 'app.bsky.feed.post', rkey: 'any' }
    for (const method of ['getRecord', 'listRecords', 'describeRepo']) {
      const answer = await read(method, params, { host: 'two.test' })
      expect([method, answer.body.error]).toEqual([method, 'RepoNotFound'])
    }
  })

  // SPEC ACC-6, ST-1, EP-2
  test('an account that is not active is neither read nor written', async () => {
    const carol = await api.signUp('carol')
    await write('createRecord', post('x'), { as: carol })
    await api.post('com.atproto.server.deactivateAccount', {}, { token: carol.accessJwt })
    for (const pod of [0, 1]) {
      const refused = await write('createRecord', post('y'), { as: carol, pod })
      expect(refused).toMatchObject({ status: 401, body: { error: 'AccountDeactivated' } })
      const listed = await read('listRecords', { repo: carol.did, collection: 'app.bsky.feed.post' }, { pod })
      expect(listed).toMatchObject({ status: 400, body: { error: 'RepoDeactivated' } })
    }
    await api.post('com.atproto.server.activateAccount', undefined, { token: carol.accessJwt })
    expect((await write('createRecord', post('z'), { as: carol, pod: 1 })).status).toBe(200)
    const signedUp = ['identity', 'account', 'commit', 'commit']
    const flipped = ['account', 'identity', 'account', 'sync', 'commit']
    expect(await api.events(carol.did)).toEqual([...signedUp, ...flipped])
  })

  test('20 writers through two pods all succeed', async () => {
    const dave = await api.signUp('dave')
    const writers = Array.from({ length: 20 }, (_, n) =>
      write('createRecord', post(`from ${n}`), { as: dave, pod: n % 2 }),
    )
    const answers = await Promise.all(writers)
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    const revs = answers.map(({ body }) => body.commit.rev)
    expect(new Set(revs).size).toBe(20)
    const { body } = await read('listRecords', { repo: dave.did, collection: 'app.bsky.feed.post' })
    expect(body.records).toHaveLength(20)
  })
})
