import { type Socket, connect } from 'node:net'
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib'

import fc, { type Arbitrary } from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestApi } from '../test-api.ts'
import { seed } from './seed.ts'

const mebibyte = 1024 * 1024

let api: TestApi
let port: number
let session: { did: string; handle: string; accessJwt: string; refreshJwt: string }

beforeAll(async () => {
  api = await TestApi.start()
  session = await api.signUp('alice')
  const address = await api.pods[0]!.app.listen({ port: 0, host: '127.0.0.1' })
  port = Number(new URL(address).port)
})
afterAll(() => api[Symbol.asyncDispose]())

/** Returns characters of a text. */
function charOf(text: string): Arbitrary<string> {
  return fc.constantFrom(...text.split(''))
}

/** Bytes of a header's value that Node lets through. */
const headerText = fc.string({ unit: charOf('aZ09 ;,=/*"\'%()[]{}<>\\:@-_.é\t'), maxLength: 60 })

/** Whether the status is one that a process of sound mind gives; 501 is for a method that there is not. */
function isSound(status: number): boolean {
  return status < 500 || status === 501
}

describe(`seed ${seed}`, () => {
  test('a broken token is answered 400 or 401, whatever is broken about it', async () => {
    await fc.assert(
      fc.asyncProperty(
        brokenToken(),
        fc.constantFrom('Bearer', 'bearer', 'DPoP', 'Basic', ''),
        async (token, scheme) => {
          for (const nsid of ['com.atproto.server.getSession', 'com.atproto.admin.getAccountInfo']) {
            const params = nsid.endsWith('Info') ? { did: session.did } : {}
            const headers = { authorization: `${scheme} ${token}` }
            const { status } = await api.get(nsid, params, { headers })
            expect([400, 401], `${nsid} ${headers.authorization}`).toContain(status)
          }
        },
      ),
      { numRuns: 300, seed },
    )
  })

  test('headers of any content are answered with less than 500', async () => {
    const names = fc.constantFrom(
      'accept',
      'accept-encoding',
      'accept-language',
      'atproto-accept-labelers',
      'atproto-proxy',
      'authorization',
      'content-encoding',
      'content-type',
      'cookie',
      'dpop',
      'if-none-match',
      'if-range',
      'origin',
      'range',
      'rookery-tenant',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-ratelimit-bypass',
    )
    const headers = fc.dictionary(names, headerText, { maxKeys: 6, noNullPrototype: true })
    const requests = fc.constantFrom(
      { method: 'GET', url: `/xrpc/com.atproto.sync.getBlob?did=${session.did}&cid=x` },
      { method: 'GET', url: `/xrpc/com.atproto.sync.getRepo?did=${session.did}` },
      { method: 'GET', url: '/xrpc/com.atproto.server.getSession' },
      { method: 'POST', url: '/xrpc/com.atproto.repo.uploadBlob', payload: 'bytes' },
      { method: 'POST', url: '/xrpc/com.atproto.repo.createRecord', payload: '{}' },
      {
        method: 'POST',
        url: '/xrpc/com.atproto.server.createSession',
        payload: '{"identifier":"a","password":"b"}',
      },
      { method: 'OPTIONS', url: '/xrpc/com.atproto.server.createSession' },
      { method: 'GET', url: '/' },
    )
    await fc.assert(
      fc.asyncProperty(requests, headers, fc.boolean(), async (request, given, isSignedIn) => {
        const credentials = isSignedIn ? { authorization: `Bearer ${session.accessJwt}` } : {}
        const answer = await api.request(request, {
          headers: { ...credentials, ...given },
        })
        expect(isSound(answer.status), String(answer.status)).toBe(true)
      }),
      { numRuns: 400, seed },
    )
  })

  test('hosts, paths and queries of any content are answered with less than 500', async () => {
    const part = fc.oneof(
      fc.webQueryParameters(),
      fc.string({ unit: charOf('abc%/?&=[]+.#\\~0;:'), maxLength: 30 }),
      fc.constantFrom(
        '__proto__=1',
        'did=%00',
        'did=%ff%fe',
        'did[]=a&did[]=b',
        'limit=1&limit=2',
        'limit=1e3',
        '%',
      ),
    )
    const path = fc.constantFrom(
      '/xrpc/com.atproto.sync.listRepos?',
      '/xrpc/com.atproto.repo.listRecords?repo=a&collection=a.b.c&',
      '/xrpc/com.atproto.sync.getBlocks?',
      '/xrpc/com.example.unknown?',
      '/xrpc/',
      '/.well-known/',
      '/tls-check?domain=',
      '/',
    )
    const host = fc.oneof(
      { weight: 4, arbitrary: fc.constant('one.test') },
      { weight: 1, arbitrary: headerText },
    )
    await fc.assert(
      fc.asyncProperty(host, path, part, async (name, start, rest) => {
        const url = encodeURI(`${start}${rest}`).replaceAll('%25', '%')
        const { status } = await api.request({ method: 'GET', url }, { host: name })
        expect(isSound(status), String(status)).toBe(true)
      }),
      { numRuns: 400, seed },
    )
  })

  test('bytes that are no request never end the process', async () => {
    const pieces = fc.constantFrom(
      'GET / HTTP/1.1\r\n',
      'POST /xrpc/com.atproto.server.createSession HTTP/1.1\r\n',
      'POST /xrpc/com.atproto.repo.uploadBlob HTTP/1.1\r\n',
      'Host: one.test\r\n',
      'Host: one.test, two.test\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Content-Length: 10\r\n',
      'Content-Length: -1\r\n',
      'Content-Length: 99999999999999999999\r\n',
      'Content-Type: application/json\r\n',
      'Expect: 100-continue\r\n',
      'Upgrade: websocket\r\nConnection: Upgrade\r\n',
      '\r\n',
      'zz\r\n',
      '5\r\nhello\r\n',
      '0\r\n\r\n',
      '\u0000\u0001',
      `X: ${'a'.repeat(40_000)}\r\n`,
    )
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { minLength: 1, maxLength: 8 }), async (parts) => {
        const received = await exchange(parts.join(''))
        expect(received).not.toMatch(/^HTTP\/1\.1 5\d\d/)
      }),
      { numRuns: 200, seed },
    )
    expect((await fetch(`http://127.0.0.1:${port}/tls-check?domain=one.test`)).status).toBe(200)
  })
})

describe('memory stays bounded by', () => {
  const post = (nsid: string, payload: Buffer | string, headers: Record<string, string>) =>
    api.request(
      { method: 'POST', url: `/xrpc/${nsid}`, payload },
      { token: session.accessJwt, headers: { 'content-type': 'application/json', ...headers } },
    )

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
  ])('the size of a body as it is decoded: %s', async (encoding, compress) => {
    const bomb = compress(Buffer.alloc(256 * mebibyte, ' '))
    expect(bomb.length).toBeLessThan(mebibyte)
    const before = process.memoryUsage().rss
    for (const nsid of ['com.atproto.server.createSession', 'com.atproto.repo.createRecord']) {
      const answer = await post(nsid, bomb, { 'content-encoding': encoding })
      expect(answer).toMatchObject({ status: 413, body: { error: 'PayloadTooLarge' } })
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(192 * mebibyte)
  })

  test('refusing what is nested too deeply, or is no JSON', async () => {
    const deep = '['.repeat(60_000) + ']'.repeat(60_000)
    const record = `{"repo":"${session.did}","collection":"com.example.note","record":{"$type":"com.example.note","a":${deep}}}`
    for (const payload of [deep, record, '{"a":'.repeat(20_000), '"\\ud800', '\ufeff{}', '{"__proto__":1}']) {
      const { status, body } = await post('com.atproto.repo.createRecord', payload, {})
      expect([status, body.error]).toEqual([400, 'InvalidRequest'])
    }
  })

  test('refusing an endless body', async () => {
    const head = [
      'POST /xrpc/com.atproto.server.createSession HTTP/1.1',
      'Host: one.test',
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
    ]
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`
    const received = await exchange(`${head.join('\r\n')}\r\n\r\n${chunk.repeat(100)}`)
    expect(received).toMatch(/^HTTP\/1\.1 413 /)
  })
})

/** Sends bytes and returns what comes back until the server hangs up, or until it says nothing more. */
async function exchange(bytes: string): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1').setEncoding('latin1')
  let received = ''
  await new Promise<void>((resolve) => {
    socket.on('data', (part) => {
      received += String(part)
    })
    socket.once('close', () => resolve())
    socket.on('error', () => {})
    // An incomplete request is waited for: the end of it is what the server answers to.
    socket.end(Buffer.from(bytes, 'latin1'))
  })
  return received
}

function brokenToken(): Arbitrary<string> {
  const valid = fc.constantFrom(session.accessJwt, session.refreshJwt)
  const changed = fc.tuple(valid, fc.nat(), charOf('.-_Aa0=%')).map(([token, at, char]) => {
    const place = at % token.length
    return `${token.slice(0, place)}${char}${token.slice(place + 1)}`
  })
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value) ?? '').toString('base64url')
  const header = fc.record(
    {
      alg: fc.constantFrom<unknown>('none', 'HS256', 'ES256K', 'RS256', '', null, 1),
      typ: fc.constantFrom<unknown>('at+jwt', 'refresh+jwt', 'JWT', 'x', null, {}),
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  const known = { sub: session.did, aud: 'did:web:one.test', scope: 'com.atproto.access', exp: 2 ** 31 }
  const claims = fc.oneof(
    fc.jsonValue(),
    fc
      .dictionary(fc.constantFrom('iss', 'sub', 'aud', 'exp', 'lxm', 'jti', 'scope'), fc.jsonValue(), {
        noNullPrototype: true,
      })
      .map((given) => ({ ...known, iss: session.did, lxm: 'com.atproto.admin.getAccountInfo', ...given })),
  )
  const made = fc
    .tuple(header, claims, fc.base64String({ maxLength: 90 }))
    .map(
      ([head, body, signature]) => `${encode(head)}.${encode(body)}.${signature.replaceAll(/[+/=]/g, '_')}`,
    )
  const text = fc.string({ unit: charOf('.abcZ09-_='), minLength: 1, maxLength: 80 })
  return fc
    .oneof(changed, made, text)
    .filter((token) => token !== session.accessJwt && token !== session.refreshJwt)
}
