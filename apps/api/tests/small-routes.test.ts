import { brotliDecompressSync, gunzipSync } from 'node:zlib'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestApi } from './test-api.ts'

let api: TestApi
let alice: { did: string; accessJwt: string }
beforeAll(async () => {
  api = await TestApi.start()
  alice = await api.signUp('alice')
  for (let n = 0; n < 20; n++) {
    await api.post(
      'com.atproto.repo.createRecord',
      { repo: alice.did, collection: 'com.example.note', record: { text: `the same words, time ${n}` } },
      { token: alice.accessJwt },
    )
  }
})
afterAll(() => api[Symbol.asyncDispose]())

describe('/tls-check', () => {
  const check = async (domain: string | undefined, host = 'rookery-api.internal:2583'): Promise<number> => {
    const query = domain === undefined ? '' : `?domain=${encodeURIComponent(domain)}`
    return (await api.request({ url: `/tls-check${query}` }, { host })).status
  }

  test.each([
    ['one.test', 200],
    ['TWO.test.', 200],
    ['alice.one.test', 200],
    ['nobody.one.test', 404],
    ['alice.two.test', 404],
    ['elsewhere.example', 404],
    ['not a name', 404],
    ['', 400],
    [undefined, 400],
  ])('%j is answered %i, whatever name the process is asked under', async (domain, status) => {
    expect(await check(domain)).toBe(status)
    expect(await check(domain, 'one.test')).toBe(status)
  })

  test('a handle of its own domain counts, one of an account that is not active does not', async () => {
    const { did, accessJwt: token } = await api.signUp('bob')
    await api.db.pool.query(`update account set handle = 'bob.example' where did = $1`, [did])
    expect(await check('bob.example')).toBe(200)
    await api.post('com.atproto.server.deactivateAccount', {}, { token })
    expect(await check('bob.example')).toBe(404)
  })
})

// SPEC XR-12
test('robots may read everything', async () => {
  const { status, body } = await api.request({ url: '/robots.txt' })
  expect([status, body]).toEqual([200, 'User-agent: *\nAllow: /\n'])
})

test('no account waits in a queue', async () => {
  const method = 'com.atproto.temp.checkSignupQueue'
  expect(await api.get(method, {}, { token: alice.accessJwt })).toMatchObject({
    status: 200,
    body: { activated: true },
  })
  expect((await api.get(method)).status).toBe(401)
})

// SPEC XR-7
describe('pages of other origins', () => {
  const headers = { origin: 'https://app.example' }

  test.each([
    ['a method', '/xrpc/com.atproto.server.describeServer', 'one.test', 200],
    ['an error', '/xrpc/com.atproto.server.getSession', 'one.test', 401],
    ['a wrong verb', '/xrpc/com.atproto.server.createSession', 'one.test', 405],
    ['a method of another service', '/xrpc/com.example.unknown', 'one.test', 401],
    ['an unknown path', '/nothing', 'one.test', 404],
    ['an unknown host', '/xrpc/com.atproto.server.describeServer', 'elsewhere.example', 404],
    ['a proof of a handle', '/.well-known/atproto-did', 'alice.one.test', 200],
    ['the DID document', '/.well-known/did.json', 'one.test', 200],
    ['the state', '/xrpc/_health', 'one.test', 200],
  ])('read %s', async (_what, url, host, status) => {
    const answer = await api.request({ url }, { host, headers })
    expect(answer.status).toBe(status)
    expect(answer.headers['access-control-allow-origin']).toBe('*')
  })

  test('may send the headers of the protocol, and read those of the answer', async () => {
    const asked = 'authorization,dpop,atproto-proxy,atproto-accept-labelers,content-type'
    const preflight = await api.request(
      { method: 'OPTIONS', url: '/xrpc/com.atproto.repo.createRecord' },
      {
        headers: {
          ...headers,
          'access-control-request-method': 'POST',
          'access-control-request-headers': asked,
        },
      },
    )
    expect(preflight).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-headers': asked, 'access-control-max-age': '86400' },
    })
    const answer = await api.request({ url: '/xrpc/com.atproto.server.describeServer' }, { headers })
    const exposed = String(answer.headers['access-control-expose-headers']).split(', ')
    expect(exposed).toEqual(
      expect.arrayContaining(['dpop-nonce', 'www-authenticate', 'ratelimit-remaining', 'atproto-repo-rev']),
    )
  })
})

describe('answers are compressed', () => {
  const get = (url: string, encoding?: string, host = 'one.test') =>
    api.pods[0]!.app.inject({
      url,
      headers: { host, ...(encoding === undefined ? {} : { 'accept-encoding': encoding }) },
    })
  const list = () => `/xrpc/com.atproto.repo.listRecords?repo=${alice.did}&collection=com.example.note`
  const repo = () => `/xrpc/com.atproto.sync.getRepo?did=${alice.did}`

  test.each([
    ['JSON with gzip', list, 'gzip', gunzipSync],
    ['JSON with brotli', list, 'gzip, br', brotliDecompressSync],
    ['a repo with gzip', repo, 'gzip', gunzipSync],
    ['a repo with brotli', repo, 'br', brotliDecompressSync],
  ])('%s', async (_what, url, accepted, decode) => {
    const plain = await get(url())
    expect(plain.headers).not.toHaveProperty('content-encoding')
    const encoded = await get(url(), accepted)
    expect(accepted).toContain(encoded.headers['content-encoding'])
    expect(encoded.headers['vary']).toContain('accept-encoding')
    expect(encoded.rawPayload.length).toBeLessThan(plain.rawPayload.length)
    expect(decode(encoded.rawPayload)).toEqual(plain.rawPayload)
  })

  test('but for those of less than a kibibyte, and blobs', async () => {
    const small = await get('/xrpc/com.atproto.server.describeServer', 'gzip')
    expect(small.headers).not.toHaveProperty('content-encoding')
    const bytes = Buffer.from(JSON.stringify({ words: 'again and '.repeat(1_000) }))
    const upload = await api.request(
      { method: 'POST', url: '/xrpc/com.atproto.repo.uploadBlob', payload: bytes },
      { token: alice.accessJwt, headers: { 'content-type': 'application/json' } },
    )
    const { blob } = upload.body
    await api.post(
      'com.atproto.repo.createRecord',
      { repo: alice.did, collection: 'com.example.file', record: { blob } },
      { token: alice.accessJwt },
    )
    const fetched = await get(`/xrpc/com.atproto.sync.getBlob?did=${alice.did}&cid=${blob.ref.$link}`, 'gzip')
    expect(fetched.headers).toMatchObject({ 'content-length': String(bytes.length) })
    expect(fetched.headers).not.toHaveProperty('content-encoding')
    expect(fetched.rawPayload).toEqual(bytes)
  })
})
