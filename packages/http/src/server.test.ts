import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'

import { DomainError } from '@rookery/std'
import { createLogger } from '@rookery/telemetry'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test, vi } from 'vitest'

import {
  type AnyXrpcMethod,
  type PdsHost,
  RawAnswer,
  type XrpcLexicons,
  createServer,
  defineMethod,
  normalizeHostname,
  XrpcError,
  registerCors,
  registerMethods,
} from './index.ts'

const hosts: PdsHost[] = [
  {
    id: 1,
    hostname: 'one.example',
    publicUrl: 'https://one.example',
    serviceDid: 'did:web:one.example',
    status: 'active',
  },
  {
    id: 2,
    hostname: 'gone.example',
    publicUrl: 'https://gone.example',
    serviceDid: 'did:web:gone.example',
    status: 'suspended',
  },
]

const lexicons: XrpcLexicons = {
  methodOf: (nsid) =>
    nsid.startsWith('test.get')
      ? { type: 'query' }
      : {
          type: 'procedure',
          inputEncoding:
            nsid === 'test.putBytes' ? '*/*' : nsid === 'test.putNothing' ? undefined : 'application/json',
        },
  validateParams: (_nsid, query) => query,
  validateInput: (_nsid, input) => input,
}

class UnmappedError extends DomainError {
  override readonly name = 'UnmappedError'
  readonly code = 'ThisCodeIsNotMapped'
}

const methods: AnyXrpcMethod[] = [
  defineMethod({
    nsid: 'test.getHost',
    auth: () => null,
    handler: ({ host }) => ({ hostname: host.hostname }),
  }),
  defineMethod({
    nsid: 'test.getRaw',
    auth: () => null,
    handler: () => new RawAnswer('application/octet-stream', Readable.from([Buffer.from('raw')])),
  }),
  defineMethod({
    nsid: 'test.getFailure',
    auth: () => null,
    handler: () => Promise.reject(new UnmappedError('secret detail')),
  }),
  defineMethod({
    nsid: 'test.putJson',
    auth: () => null,
    inputBytesMax: 1_000,
    handler: ({ input }) => ({ input }),
  }),
  defineMethod({ nsid: 'test.putNothing', auth: () => null, handler: () => undefined }),
  defineMethod({
    nsid: 'test.putBytes',
    auth: () => null,
    handler: async ({ input }) => {
      const chunks: Buffer[] = []
      for await (const chunk of input as AsyncIterable<Buffer>) chunks.push(chunk)
      return { length: Buffer.concat(chunks).length }
    },
  }),
]

const open: FastifyInstance[] = []
afterEach(() => Promise.all(open.splice(0).map((app) => app.close())))

async function build(
  trustedProxies: string[] = [],
  log = createLogger('test', 'silent'),
): Promise<FastifyInstance> {
  const app = createServer({
    log,
    trustedProxies,
    hosts: {
      findHost: (name) => Promise.resolve(hosts.find(({ hostname }) => hostname === name)),
      findHostOfHandle: (handle) => Promise.resolve(handle.endsWith('.one.example') ? hosts[0] : undefined),
    },
  })
  await registerCors(app)
  app.get('/.well-known/atproto-did', (request) => ({ host: request.pdsHost.hostname }))
  registerMethods(app, lexicons, methods)
  open.push(app)
  return app
}

test('another server’s failure is a warning in the log, our own an error', async () => {
  const log = createLogger('test', 'silent')
  const warned = vi.spyOn(log, 'warn')
  const failed = vi.spyOn(log, 'error')
  const app = await build([], log)
  app.get('/theirs', () => Promise.reject(new XrpcError(502, 'UpstreamFailure', 'it did not answer')))
  app.get('/ours', () => Promise.reject(new Error('a bug')))
  expect((await app.inject({ url: '/theirs', headers: { host: 'one.example' } })).statusCode).toBe(502)
  expect([warned.mock.calls.length, failed.mock.calls.length]).toEqual([1, 0])
  expect((await app.inject({ url: '/ours', headers: { host: 'one.example' } })).statusCode).toBe(500)
  expect([warned.mock.calls.length, failed.mock.calls.length]).toEqual([1, 1])
})

describe('routing by host', () => {
  test('an unknown host is answered 404 whatever the path', async () => {
    const app = await build()
    for (const url of ['/', '/xrpc/test.getHost', '/.well-known/atproto-did']) {
      const response = await app.inject({ url, headers: { host: 'elsewhere.example' } })
      expect(response.statusCode).toBe(404)
      expect(response.json()).toMatchObject({ error: 'HostNotFound' })
    }
  })

  test('a suspended host is answered 503', async () => {
    const response = await (
      await build()
    ).inject({ url: '/xrpc/test.getHost', headers: { host: 'gone.example' } })
    expect(response.statusCode).toBe(503)
    expect(response.json()).toMatchObject({ error: 'HostSuspended' })
  })

  test("a handle's name serves its proof and nothing else", async () => {
    const app = await build()
    const host = 'alice.one.example'
    expect((await app.inject({ url: '/.well-known/atproto-did', headers: { host } })).json()).toEqual({
      host: 'one.example',
    })
    expect((await app.inject({ url: '/xrpc/test.getHost', headers: { host } })).statusCode).toBe(404)
  })

  test('forwarded hosts are believed only from trusted proxies', async () => {
    const request = {
      url: '/xrpc/test.getHost',
      headers: { host: 'inner.example', 'x-forwarded-host': 'one.example' },
    }
    expect((await (await build()).inject(request)).statusCode).toBe(404)
    const behindProxy = await build(['127.0.0.1'])
    expect((await behindProxy.inject(request)).json()).toEqual({ hostname: 'one.example' })
    expect((await behindProxy.inject({ ...request, remoteAddress: '203.0.113.9' })).statusCode).toBe(404)
  })

  test('host names are compared in lower case, without default port and trailing dot', () => {
    expect(normalizeHostname('PDS.Example:443')).toBe('pds.example')
    expect(normalizeHostname('pds.example.:2583')).toBe('pds.example:2583')
    expect(normalizeHostname('pds.example/evil')).toBeUndefined()
    expect(normalizeHostname(undefined)).toBeUndefined()
  })
})

describe('XRPC routes', () => {
  const headers = { host: 'one.example' }

  // SPEC XR-1
  test('another verb is answered 405', async () => {
    const app = await build()
    const get = await app.inject({ method: 'GET', url: '/xrpc/test.putJson', headers })
    const post = await app.inject({ method: 'POST', url: '/xrpc/test.getHost', headers })
    expect([get.statusCode, post.statusCode]).toEqual([405, 405])
    expect(post.json()).toMatchObject({
      error: 'InvalidRequest',
      message: 'Incorrect HTTP method (POST) expected GET',
    })
  })

  test('an unknown method is answered 501', async () => {
    const response = await (await build()).inject({ url: '/xrpc/test.missing', headers })
    expect(response.statusCode).toBe(501)
    expect(response.json()).toMatchObject({ error: 'MethodNotImplemented' })
  })

  // SPEC XR-8
  test('a body at the limit is taken, one byte more is 413, counted after decoding', async () => {
    const app = await build()
    const bodyOf = (length: number) => JSON.stringify('x'.repeat(length - 2))
    const post = (payload: Buffer | string, extra: Record<string, string> = {}) =>
      app.inject({
        method: 'POST',
        url: '/xrpc/test.putJson',
        headers: { ...headers, 'content-type': 'application/json', ...extra },
        payload,
      })
    expect((await post(bodyOf(1_000))).statusCode).toBe(200)
    expect((await post(bodyOf(1_001))).json()).toMatchObject({ error: 'PayloadTooLarge' })
    expect((await post(gzipSync(bodyOf(1_000)), { 'content-encoding': 'gzip' })).json()).toEqual({
      input: 'x'.repeat(998),
    })
    expect((await post(gzipSync(bodyOf(50_000)), { 'content-encoding': 'gzip' })).statusCode).toBe(413)
    expect((await post('{}', { 'content-encoding': 'zstd' })).statusCode).toBe(415)
    expect((await post(Buffer.from('not gzip'), { 'content-encoding': 'gzip' })).statusCode).toBe(400)
  })

  // SPEC XR-5
  test('a body of another type, or none, or one too many is 400', async () => {
    const app = await build()
    const post = (url: string, type: string | undefined, payload?: string) =>
      app.inject({
        method: 'POST',
        url,
        headers: { ...headers, ...(type === undefined ? {} : { 'content-type': type }) },
        ...(payload === undefined ? {} : { payload }),
      })
    const answers = await Promise.all([
      post('/xrpc/test.putJson', 'text/plain', 'text'),
      post('/xrpc/test.putJson', undefined),
      post('/xrpc/test.putJson', 'application/json', '{"broken'),
      post('/xrpc/test.putNothing', 'application/json', '{}'),
      post('/xrpc/test.putBytes', undefined, 'bytes'),
    ])
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([400, 400, 400, 400, 400])
    expect(answers.map((answer) => answer.json().error)).toEqual(answers.map(() => 'InvalidRequest'))
    expect((await post('/xrpc/test.putNothing', 'application/json')).statusCode).toBe(200)
  })

  test('a method without input takes an empty body in whatever form, and no other', async () => {
    const app = await build()
    const url = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
    const ask = async (head: string, body = ''): Promise<string> => {
      const socket = connect(Number(url.port), url.hostname).setEncoding('utf8')
      const lines = ['POST /xrpc/test.putNothing HTTP/1.1', 'Host: one.example', 'Connection: close']
      socket.write(`${[...lines, ...(head === '' ? [] : [head])].join('\r\n')}\r\n\r\n${body}`)
      let received = ''
      for await (const part of socket) received += String(part)
      return received
    }
    const chunked = 'Transfer-Encoding: chunked'
    const typed = `Content-Type: application/json\r\n`
    for (const head of ['', 'Content-Length: 0', `${typed}Content-Length: 0`]) {
      expect(await ask(head), head).toMatch(/^HTTP\/1.1 200 /)
    }
    expect(await ask(chunked, '0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /)
    expect(await ask(typed + chunked, '0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /)
    expect(await ask(chunked, '2\r\n{}\r\n0\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*InvalidRequest/s)
    expect(await ask('Content-Length: 2', '{}')).toMatch(/^HTTP\/1.1 400 .*InvalidRequest/s)
  })

  test('bytes are streamed to the handler and from it', async () => {
    const app = await build()
    const response = await app.inject({
      method: 'POST',
      url: '/xrpc/test.putBytes',
      headers: { ...headers, 'content-type': 'image/png' },
      payload: Buffer.alloc(300_000),
    })
    expect(response.json()).toEqual({ length: 300_000 })
    expect((await app.inject({ url: '/xrpc/test.getRaw', headers })).rawPayload).toEqual(Buffer.from('raw'))
  })

  // SPEC XR-3
  test('what is unexpected leaves as a bare 500', async () => {
    const response = await (await build()).inject({ url: '/xrpc/test.getFailure', headers })
    expect(response.statusCode).toBe(500)
    expect(response.json()).toEqual({ error: 'InternalServerError', message: 'Internal Server Error' })
  })

  test('a database that is away, full, read-only or too slow is answered 503 with the time to try again', async () => {
    const app = await build()
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const outages = [
      refused,
      new AggregateError([refused]),
      Object.assign(new Error('terminating connection'), { code: '57P01' }),
      new Error('Connection terminated unexpectedly'),
      ...['53100', '53200', '53300', '58030', '25006', '57014'].map((code) =>
        Object.assign(new Error('no'), { code }),
      ),
      Object.assign(new Error('connect ENOENT'), { code: 'ENOENT', syscall: 'connect' }),
    ]
    app.get('/fails/:n', (request) => {
      throw outages[Number((request.params as { n: string }).n)]
    })
    for (const n of outages.keys()) {
      const response = await app.inject({ url: `/fails/${n}`, headers })
      expect(response.statusCode).toBe(503)
      expect(response.headers['retry-after']).toBe('2')
      expect(response.json()).toMatchObject({ error: 'NotEnoughResources' })
    }
  })

  test('a text that the database cannot hold is the mistake of the caller', async () => {
    const app = await build()
    app.get('/nul', () => {
      throw Object.assign(new Error('invalid byte sequence for encoding "UTF8": 0x00'), { code: '22021' })
    })
    const response = await app.inject({ url: '/nul', headers })
    expect(response.statusCode).toBe(400)
    expect(response.json()).toMatchObject({ error: 'InvalidRequest' })
  })

  test('a file that is missing is no outage', async () => {
    const app = await build()
    app.get('/fails', () => {
      throw Object.assign(new Error('open ENOENT'), { code: 'ENOENT', syscall: 'open' })
    })
    expect((await app.inject({ url: '/fails', headers })).statusCode).toBe(500)
  })

  // SPEC XR-11
  test('answers to a caller with credentials are private', async () => {
    const app = await build()
    const response = await app.inject({
      url: '/xrpc/test.getHost',
      headers: { ...headers, authorization: 'Bearer x' },
    })
    expect(response.headers).toMatchObject({
      'cache-control': 'private',
      vary: expect.stringMatching(/authorization/i),
    })
  })

  // SPEC XR-7
  test('pages of every origin may call', async () => {
    const response = await (
      await build()
    ).inject({
      method: 'OPTIONS',
      url: '/xrpc/test.putJson',
      headers: {
        ...headers,
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,dpop',
      },
    })
    expect(response.statusCode).toBe(204)
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-max-age': '86400',
      'access-control-allow-headers': 'authorization,content-type,dpop',
    })
  })
})
