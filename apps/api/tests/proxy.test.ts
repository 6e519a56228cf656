import { once } from 'node:events'
import { type ClientRequest, request as httpRequest } from 'node:http'
import type { Writable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'

import { AtpAgent } from '@atproto/api'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { FakeService, errorOf, json, unread } from './fake-service.ts'
import { settled } from './settled.ts'
import { TestApi } from './test-api.ts'

const query = 'com.example.getThing'
const procedure = 'com.example.doThing'
const bytes = 'com.example.putBytes'

let api: TestApi
let url: string
let service: FakeService
let session: any
let token: string
let proxy: string

beforeAll(async () => {
  api = await TestApi.start()
  url = await api.listen()
  service = await FakeService.start(api, ['test_service', 'bsky_appview'], {
    [query]: json({ thing: 1 }, 200, {
      'atproto-repo-rev': '3kabc',
      'x-secret': 'inner',
      'set-cookie': 'a=b',
    }),
    [procedure]: json({ done: true }),
    [bytes]: json({}),
    'com.example.compressed': (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      response.end(gzipSync('{"packed":true}'))
    },
    'com.example.internalError': json({ error: 'Inner', message: 'it broke' }, 500),
    'com.example.refuse': json({ error: 'NotForYou', message: 'no' }, 403, { 'retry-after': '7' }),
    'com.example.html': (_request, response) => void response.writeHead(503).end('<html>'),
    'com.example.redirect': (_request, response) =>
      void response.writeHead(302, { location: 'http://localhost/secret' }).end(),
    'com.example.huge': (_request, response) =>
      void response
        .writeHead(200, { 'content-length': String(api.pods[0]!.deps.config.proxy.answerBytesMax + 1) })
        .write('x'),
  })
  session = await api.signUp('alice', { handle: 'alice.open.test' }, { host: new URL(url).host })
  token = session.accessJwt
  proxy = `${service.did}#test_service`
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
  await api[Symbol.asyncDispose]()
})
beforeEach(() => {
  service.received.length = 0
})

type Init = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> }

function call(nsid: string, init: Init = {}, path = ''): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'atproto-proxy': proxy, ...init.headers }
  return fetch(`${url}/xrpc/${nsid}${path}`, { ...init, headers })
}

describe('a request for a method that is not served here', () => {
  // SPEC PX-2, PX-3, SA-1
  test('goes to the service that its header names, with a token that proves the account', async () => {
    const answer = await call(query, {}, '?a=1&a=2&b=%20x')
    expect([answer.status, await answer.json()]).toEqual([200, { thing: 1 }])
    expect(service.last).toMatchObject({ method: 'GET', url: `/xrpc/${query}?a=1&a=2&b=%20x` })
    expect(await service.verifyToken(api, query)).toMatchObject({
      iss: session.did,
      aud: service.did,
      lxm: query,
    })
  })

  // SPEC PX-6, LAB-2
  test('takes along what the service may know, and nothing else', async () => {
    await call(query, {
      headers: {
        'accept-language': 'pt',
        'atproto-accept-labelers': 'did:plc:labeler',
        'x-bsky-topics': 'cats',
        cookie: 'session=1',
        dpop: 'proof',
        'x-forwarded-for': '1.2.3.4',
      },
    })
    const { headers } = service.last
    expect(headers).toMatchObject({
      'accept-language': 'pt',
      'atproto-accept-labelers': 'did:plc:labeler',
      'x-bsky-topics': 'cats',
    })
    expect(headers.authorization).not.toContain(token)
    for (const name of ['cookie', 'dpop', 'x-forwarded-for', 'atproto-proxy']) {
      expect(headers).not.toHaveProperty(name)
    }
  })

  // SPEC PX-6, LAB-2
  test('brings back what the caller may know, and nothing else', async () => {
    const { headers } = await call(query)
    expect(headers.get('atproto-repo-rev')).toBe('3kabc')
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(headers.get('cache-control')).toBe('private')
    expect(headers.get('x-secret')).toBeNull()
    expect(headers.get('set-cookie')).toBeNull()
  })

  test('works with the official client', async () => {
    const agent = new AtpAgent({ service: url })
    await agent.resumeSession({ ...session, active: true })
    const client = agent.withProxy('test_service', service.did)
    client.lex.add({
      lexicon: 1,
      id: query,
      defs: {
        main: {
          type: 'query',
          output: { encoding: 'application/json', schema: { type: 'object', properties: {} } },
        },
      },
    })
    expect((await client.call(query)).data).toEqual({ thing: 1 })
  })

  test('may be a HEAD', async () => {
    const answer = await call(query, { method: 'HEAD' })
    expect([answer.status, await answer.text()]).toEqual([200, ''])
    expect(service.last.method).toBe('HEAD')
  })

  test('keeps its body and its encoding, unread', async () => {
    const packed = gzipSync(JSON.stringify({ a: 1 }))
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const answer = await call(procedure, { method: 'POST', headers, body: packed })
    expect(await answer.json()).toEqual({ done: true })
    expect(service.last.headers).toMatchObject({ ...headers, 'content-length': String(packed.length) })
    expect(gunzipSync(service.last.body).toString()).toBe('{"a":1}')
  })

  test('may have no body', async () => {
    expect((await call(procedure, { method: 'POST' })).status).toBe(200)
    expect(service.last.body).toHaveLength(0)
    expect(service.last.headers['content-type']).toBeUndefined()
  })

  test('gets a compressed answer as the service compressed it', async () => {
    const answer = await call('com.example.compressed', { headers: { 'accept-encoding': 'gzip' } })
    expect(answer.headers.get('content-encoding')).toBe('gzip')
    expect(await answer.json()).toEqual({ packed: true })
    expect(service.last.headers['accept-encoding']).toBe('gzip')
  })

  test.each(['PUT', 'PATCH', 'DELETE'])('cannot be a %s', async (method) => {
    expect(await errorOf(call(query, { method }))).toEqual([
      400,
      'InvalidRequest',
      'XRPC requests only supports GET and POST',
    ])
  })

  test.each(['nonsense', 'com.example', '..%2f..'])('cannot be one of the name %s', async (name) => {
    expect((await errorOf(call(name)))[0]).toBe(400)
    expect(service.received).toEqual([])
  })
})

describe('an answer that is an error', () => {
  test.each([
    ['com.example.refuse', [403, 'NotForYou', 'no']],
    ['com.example.internalError', [502, 'Inner', 'it broke']],
    ['com.example.html', [503, 'NotEnoughResources', 'The upstream service answered with status 503']],
    ['com.example.redirect', [502, 'UpstreamFailure', 'The upstream service answered with status 302']],
    ['com.example.missing', [501, 'MethodNotImplemented', 'not here']],
    ['com.example.huge', [502, 'UpstreamFailure', 'Upstream service unreachable']],
  ])('of %s says what the service said', async (nsid, expected) => {
    expect(await errorOf(call(nsid))).toEqual(expected)
  })

  test('keeps the time to wait', async () => {
    expect((await call('com.example.refuse')).headers.get('retry-after')).toBe('7')
  })

  test('is a bad gateway if nobody answers', async () => {
    const gone = await FakeService.start(api, ['test_service'], {})
    await gone[Symbol.asyncDispose]()
    const headers = { 'atproto-proxy': `${gone.did}#test_service` }
    const expected = [502, 'UpstreamFailure', 'Upstream service unreachable']
    expect(await errorOf(call(query, { headers }))).toEqual(expected)
    expect(await errorOf(call(procedure, { method: 'POST', headers, body: 'x' }))).toEqual(expected)
  })
})

// SPEC PX-1
describe('the header', () => {
  test.each([
    ['#svc', 'no did specified in proxy header'],
    ['did:web:a.example', 'no service id specified in proxy header'],
    ['did:web:a.example#', 'no service id specified in proxy header'],
    ['did:web:a.example#a#b', 'invalid proxy header format'],
    ['did:web:a.example# svc', 'proxy header cannot contain spaces'],
    ['foo#bar', 'Poorly formatted DID: foo'],
    ['did:foo:bar#baz', 'Unsupported DID method: did:foo:bar'],
    ['did:plc:aaaaaaaaaaaaaaaaaaaaaaaa#svc', 'could not resolve proxy did'],
  ])('%j is refused', async (header, message) => {
    const answer = await errorOf(call(query, { headers: { 'atproto-proxy': header } }))
    expect(answer).toEqual([400, 'InvalidRequest', message])
  })

  // SPEC PX-1
  test('must name a service of the document', async () => {
    const headers = { 'atproto-proxy': `${service.did}#other` }
    expect(await errorOf(call(query, { headers }))).toEqual([
      400,
      'InvalidRequest',
      'could not resolve proxy did service url',
    ])
  })

  test('of a DID whose server is away is a bad gateway', async () => {
    const headers = { 'atproto-proxy': 'did:web:away.example#svc' }
    expect(await errorOf(call(query, { headers }))).toEqual([
      502,
      'UpstreamFailure',
      'could not resolve proxy did',
    ])
  })
})

// SPEC PX-4
describe('without a header', () => {
  const names = ['appView', 'chat', 'moderation', 'report'] as const
  const plain = (nsid: string, change: object = {}) =>
    api.get(nsid, {}, { token: two, host: 'two.test', ...change })
  let two: string
  let services: Record<(typeof names)[number], FakeService>

  beforeAll(async () => {
    two = (await api.signUp('tom', { handle: 'tom.two.test' }, { host: 'two.test' })).accessJwt
    const start = (name: string) => FakeService.start(api, [], { '*': json({ name }) })
    services = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await start(name)] as const)),
    ) as typeof services
  })
  afterAll(() => Promise.all(names.map((name) => services[name][Symbol.asyncDispose]())))

  async function configure(...on: (typeof names)[number][]): Promise<void> {
    const settings = names.map((name) => {
      const { did, url: at } = services[name]
      return [name, on.includes(name) ? { did, url: at } : null]
    })
    await api.set('two', Object.fromEntries(settings))
  }

  test('nothing answers if nothing is configured', async () => {
    await configure()
    for (const nsid of [
      'app.bsky.graph.getFollows',
      'tools.ozone.team.listMembers',
      'chat.bsky.convo.listConvos',
    ]) {
      expect(await plain(nsid)).toMatchObject({
        status: 400,
        body: { error: 'InvalidRequest', message: `No service configured for ${nsid}` },
      })
    }
  })

  test('the method decides which of the tenant’s services answers', async () => {
    await configure('appView', 'chat', 'moderation')
    expect((await plain('app.bsky.graph.getFollows')).body).toEqual({ name: 'appView' })
    expect((await plain('com.example.anything')).body).toEqual({ name: 'appView' })
    expect((await plain('chat.bsky.convo.listConvos')).body).toEqual({ name: 'chat' })
    expect((await plain('tools.ozone.team.listMembers')).body).toEqual({ name: 'moderation' })
    expect((await services.chat.verifyToken(api, 'chat.bsky.convo.listConvos')).aud).toBe(services.chat.did)
  })

  test('chat goes to the AppView if no chat service is configured', async () => {
    await configure('appView')
    expect((await plain('chat.bsky.convo.listConvos')).body).toEqual({ name: 'appView' })
  })

  test('a service of the tenant is found by its name without asking its DID’s document', async () => {
    await configure('appView')
    const headers = { 'atproto-proxy': `${services.appView.did}#bsky_appview` }
    expect((await plain('app.bsky.graph.getFollows', { headers })).body).toEqual({ name: 'appView' })
    headers['atproto-proxy'] = `${services.appView.did}#bsky_chat`
    expect((await plain('app.bsky.graph.getFollows', { headers })).status).toBe(400)
  })

  test('another tenant’s services are not its own', async () => {
    await configure('appView')
    expect(
      (await api.get('app.bsky.graph.getFollows', {}, { token: (await api.signUp('una')).accessJwt })).body,
    ).toMatchObject({
      message: 'No service configured for app.bsky.graph.getFollows',
    })
  })
})

// SPEC PX-5
describe('who may call', () => {
  async function appPassword(privileged: boolean): Promise<string> {
    const host = new URL(url).host
    const made = await api.post(
      'com.atproto.server.createAppPassword',
      { name: `app ${privileged}`, privileged },
      { token, host },
    )
    const input = { identifier: session.handle, password: made.body.password }
    return (await api.post('com.atproto.server.createSession', input, { host })).body.accessJwt
  }

  const as = (jwt: string) => ({ headers: { authorization: `Bearer ${jwt}` } })
  const badMethod = [400, 'InvalidToken', 'Bad token method']

  test('an app password, but chat only if it is privileged, also methods that are newer than this program', async () => {
    const [standard, privileged] = [await appPassword(false), await appPassword(true)]
    expect((await call(query, as(standard))).status).toBe(200)
    for (const nsid of [
      'chat.bsky.convo.listConvos',
      'chat.bsky.convo.invented',
      'CHAT.bsky.convo.listConvos',
    ]) {
      expect(await errorOf(call(nsid, as(standard)))).toEqual(badMethod)
    }
    expect(service.received).toHaveLength(1)
    expect((await errorOf(call('chat.bsky.convo.invented', as(privileged))))[0]).toBe(501)
    expect((await errorOf(call('chat.bsky.convo.invented')))[0]).toBe(501)
    expect(service.received).toHaveLength(3)
  })

  test.each([
    'com.atproto.admin.SENDEMAIL',
    'COM.atproto.server.updateEmail',
    'com.atproto.server.CREATEAPPPASSWORD',
  ])('nobody, if it is %s', async (nsid) => {
    expect(await errorOf(call(nsid))).toEqual(badMethod)
    expect(service.received).toEqual([])
  })

  test.each(['com.atproto.repo.CREATERECORD', 'com.atproto.Server.createAccount'])(
    'nobody, if it is %s, which is served here under its own name',
    async (nsid) => {
      expect((await errorOf(call(nsid, { method: 'POST' })))[0]).toBe(501)
      expect(service.received).toEqual([])
    },
  )

  test('nobody without a session of this host, before the body is read', async () => {
    const other = await api.signUp('bert')
    expect((await errorOf(fetch(`${url}/xrpc/${query}`)))[1]).toBe('AuthMissing')
    expect((await errorOf(call(query, as(session.refreshJwt))))[1]).toBe('InvalidToken')
    expect((await errorOf(call(query, as(other.accessJwt))))[1]).toBe('InvalidToken')
    expect(service.received).toEqual([])
  })

  // SPEC PX-2, ACC-6
  test('no account that is deactivated or taken down', async () => {
    const host = new URL(url).host
    const gone = await api.signUp('gone', { handle: 'gone.open.test' }, { host })
    await api.post('com.atproto.server.deactivateAccount', {}, { token: gone.accessJwt, host })
    expect((await errorOf(call(query, as(gone.accessJwt)))).slice(0, 2)).toEqual([401, 'AccountDeactivated'])
    await api.post('com.atproto.server.activateAccount', undefined, { token: gone.accessJwt, host })
    const subject = { $type: 'com.atproto.admin.defs#repoRef', did: gone.did }
    const takedown = { subject, takedown: { applied: true, ref: 'x' } }
    await api.post('com.atproto.admin.updateSubjectStatus', takedown, { admin: true, host })
    expect((await errorOf(call(query, as(gone.accessJwt)))).slice(0, 2)).toEqual([401, 'AccountTakedown'])
    expect(service.received).toEqual([])
  })
})

describe('tokens', () => {
  test('of queries are used again, those of procedures are not', async () => {
    for (const method of ['GET', 'GET', 'POST', 'POST']) {
      await call(method === 'GET' ? query : procedure, { method })
    }
    const [first, second, third, fourth] = service.received.map(({ headers }) => headers.authorization)
    expect(second).toBe(first)
    expect(new Set([first, third, fourth]).size).toBe(3)
  })
})

// SPEC PX-7
describe('bytes flow', () => {
  /** Begins a request whose body and answer the test moves by hand. */
  function open(nsid: string, headers: Record<string, string> = {}): ClientRequest {
    return httpRequest(`${url}/xrpc/${nsid}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'atproto-proxy': `${flowing.did}#test_service`,
        'content-type': 'application/octet-stream',
        ...headers,
      },
    }).on('error', () => {})
  }

  let flowing: FakeService
  let poured: { bytes: number; closed: Promise<unknown> }
  const manyBytes = 64 * 1024 * 1024
  const chunk = Buffer.alloc(65_536)
  beforeAll(async () => {
    flowing = await FakeService.start(api, ['test_service'], {
      'com.example.echo': unread((request, response) => void request.pipe(response.writeHead(200))),
      'com.example.stall': unread((request) => void request.pause()),
      'com.example.wait': unread((request, response) => {
        poured = { bytes: 0, closed: once(response, 'close') }
        request.resume()
      }),
      'com.example.pour': unread((request, response) => {
        poured = { bytes: 0, closed: once(response, 'close') }
        request.resume()
        response.writeHead(200)
        pour(response)
      }),
      'com.example.breakOff': unread((request, response) => {
        request.resume()
        response.writeHead(200).write('some', () => response.destroy())
      }),
    })
  })
  afterAll(() => flowing[Symbol.asyncDispose]())

  /** Writes many bytes as fast as the stream takes them, and counts them. */
  function pour(stream: Writable): void {
    while (poured.bytes < manyBytes && !stream.destroyed) {
      poured.bytes += chunk.length
      if (!stream.write(chunk)) return void stream.once('drain', () => pour(stream))
    }
  }

  test('both ways at once, before the request has ended', async () => {
    const request = open('com.example.echo')
    request.write('first')
    const [response] = await once(request, 'response')
    expect(String((await once(response, 'data'))[0])).toBe('first')
    request.write('second')
    expect(String((await once(response, 'data'))[0])).toBe('second')
    request.end()
    response.resume()
    await once(response, 'end')
  })

  test('as slowly as the service takes them', async () => {
    const request = open('com.example.stall')
    poured = { bytes: 0, closed: Promise.resolve() }
    pour(request)
    await settled(() => poured.bytes)
    expect(poured.bytes).toBeLessThan(manyBytes / 2)
    request.destroy()
  })

  test('as slowly as the caller takes them, and end with the caller', async () => {
    const request = open('com.example.pour').end()
    const [response] = await once(request, 'response')
    response.on('error', () => {}).pause()
    await settled(() => poured.bytes)
    expect(poured.bytes).toBeLessThan(manyBytes / 2)
    response.destroy()
    await poured.closed
  })

  test('no longer than the caller waits for the answer to begin', async () => {
    const request = open('com.example.wait').end()
    await expect.poll(() => flowing.last.url).toContain('wait')
    request.destroy()
    await poured.closed
  })

  test('so that an answer that breaks off is not taken for a whole one', async () => {
    const request = open('com.example.breakOff').end()
    const [response] = await once(request, 'response')
    response.resume()
    await expect(once(response, 'end')).rejects.toThrow('aborted')
  })

  test('no further than the limit, whether or not it was announced', async () => {
    const { requestBytesMax } = api.pods[0]!.deps.config.proxy
    const announced = open('com.example.wait', { 'content-length': String(requestBytesMax + 1) })
    announced.flushHeaders()
    const [refused] = await once(announced, 'response')
    announced.destroy()
    const unannounced = open('com.example.wait')
    for (let sent = 0; sent <= requestBytesMax; sent += chunk.length) {
      if (!unannounced.write(chunk)) await once(unannounced, 'drain')
    }
    const [cut] = await once(unannounced, 'response')
    expect([refused.statusCode, cut.statusCode]).toEqual([413, 413])
    await poured.closed
  })
})
